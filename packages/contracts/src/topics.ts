const DAY_MS = 24 * 60 * 60 * 1000;

/** How long a client may be away and still be given every change: the minimum compaction lag of document topics. */
export const RESUME_WINDOW_MS = DAY_MS;

/** Every topic of the platform. `partitions` is the deployment's choice, made once (`TOPIC_PARTITIONS`). */
export const topics = {
  orderCommands: topic('orders.commands', 'delete', 'commands sent through the log rather than over HTTP'),
  commandOutcomes: topic(
    'orders.command-outcomes',
    'delete',
    'what became of each command, keyed by command id',
  ),
  orderEvents: topic('orders.events', 'delete', 'the orders aggregate, keyed by order id'),
  reservationEvents: topic('inventory.reservations', 'delete', 'stock held for orders, keyed by order id'),
  productEvents: topic('inventory.products', 'delete', 'products and their stock, keyed by product id'),
  paymentEvents: topic('payments.events', 'delete', 'payments, keyed by order id'),
  shipmentEvents: topic('shipping.events', 'delete', 'shipments, keyed by order id'),
  orderDocuments: topic('order.documents', 'compact', 'the whole view of an order, keyed by order id'),
  productDocuments: topic('product.documents', 'compact', 'the whole view of a product, keyed by product id'),
  canary: topic('tidegate.canary', 'delete', 'what gateways write to see whether changes flow'),
  accessRevocations: topic(
    'access.revocations',
    'compact',
    'tokens that are refused before their end, keyed by token or subject',
  ),
  deadLetters: topic('dead-letters', 'delete', 'records nobody could read, with the reason in headers'),
} as const;

export interface TopicDefinition {
  readonly name: string;
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs: number;
  readonly description: string;
}

function topic(name: string, cleanup: 'delete' | 'compact', description: string): TopicDefinition {
  return { name, cleanup, retentionMs: cleanup === 'compact' ? RESUME_WINDOW_MS : 7 * DAY_MS, description };
}

/** The specs that `EventLog.ensureTopics` takes. */
export function topicSpecs(
  definitions: readonly TopicDefinition[],
  partitions: number,
): { name: string; partitions: number; cleanup: 'delete' | 'compact'; retentionMs: number }[] {
  return definitions.map(({ name, cleanup, retentionMs }) => ({ name, partitions, cleanup, retentionMs }));
}

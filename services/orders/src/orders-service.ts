import { cancelOrder, getCommandOutcome, includesCustomer, placeOrder } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { CommandHandler } from './command-handler.ts';
import { CommandOutcomes } from './command-outcomes.ts';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { newId as newSortableId } from './new-id.ts';
import { ProductPrices } from './product-prices.ts';
import { createReactions } from './reactions.ts';
import { OrderStore } from './store.ts';
import type { OrdersTables } from './tables.ts';

/** Maximum time in milliseconds that a command waits for the price of a product that the catalogue has just listed. */
const PRICE_WAIT_MS = 2_000;

export interface OrdersServiceOptions extends ServiceDependencies<OrdersTables> {
  /** Returns the id of an order whose command names none. Default `newId`, sortable by creation time. */
  readonly newId?: () => string;
}

/**
 * Creates the write side of orders: an event-sourced aggregate that answers commands over HTTP and reacts to the events
 * of inventory, payments and shipping.
 */
export function createOrdersService(options: OrdersServiceOptions): Service<'orders'> {
  const { database, clock = Date.now, newId = newSortableId } = options;
  const outbox = createOutbox({ database });
  const outcomes = new CommandOutcomes({ outbox, clock });
  const orders = new OrderStore({ outbox, clock });
  const prices = new ProductPrices(database);
  const commands = new CommandHandler({ database, orders, outcomes, prices });

  return createService({
    name: 'orders',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: createReactions({ commands, prices, callerKeys: options.callerKeys }),
    implementations: [
      implement(placeOrder, async (input, { traceparent, signal }) => {
        const productIds = input.lines.map(({ productId }) => productId);
        await prices.waitFor(productIds, PRICE_WAIT_MS, signal);
        return commands.execute(
          { name: 'place-order', input: { ...input, orderId: input.orderId ?? newId() } },
          input.traceparent ?? traceparent,
        );
      }),
      implement(cancelOrder, (input, { traceparent }) =>
        commands.execute({ name: 'cancel-order', input }, input.traceparent ?? traceparent),
      ),
      implement(getCommandOutcome, async ({ commandId, access }) => {
        const known = await outcomes.find(database.query, commandId);
        const found = known && includesCustomer(access, known.customerId) ? known : undefined;
        return {
          outcome: found
            ? { customerId: found.customerId, command: found.command, result: found.result }
            : null,
        };
      }),
    ],
  });
}

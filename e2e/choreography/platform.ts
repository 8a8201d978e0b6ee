import {
  cancelOrder,
  OrderDocumentChanged,
  placeOrder,
  topics,
  type CommandResult,
  type OrderDocument,
  type OrderStatus,
} from '@order-platform/contracts';
import { createMessageParser, type InputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { OutboxTables } from '@tidegate/messaging';
import { createServiceClient, type ServiceClient } from '@tidegate/service/operations';
import { createCatalogViewService, type CatalogViewTables } from '@order-platform/service-catalog-view';
import {
  createInventoryService,
  type InventoryTables,
  type NewProduct,
} from '@order-platform/service-inventory';
import { createOrderViewService, type OrderViewTables } from '@order-platform/service-order-view';
import { createOrdersService, type OrdersTables } from '@order-platform/service-orders';
import { createPaymentsService, type PaymentsTables } from '@order-platform/service-payments';
import { createPaymentProvider, type PaymentProvider } from '@order-platform/service-payments/provider';
import { createShippingService, type ShippingTables } from '@order-platform/service-shipping';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { products } from './products.ts';
import type { Storage } from './storage.ts';

export interface PlatformOptions {
  readonly prepareMs?: number;
  readonly deliverMs?: number;
  readonly giveUpAfterMs?: number;
  readonly products?: readonly NewProduct[];
}

export type Line = InputOf<typeof placeOrder>['lines'][number];

/** The whole order platform in this process. */
export interface Platform extends AsyncDisposable {
  readonly client: ServiceClient;
  readonly log: EventLog;
  readonly provider: PaymentProvider;
  /** As customer `ada`. */
  place(orderId: string, ...lines: Line[]): Promise<CommandResult>;
  cancel(orderId: string): Promise<CommandResult>;
  /** Everything published about the order, oldest first. */
  published(orderId: string): readonly OrderDocument[];
  publishedOrders(): readonly string[];
  reaches(orderId: string, status: OrderStatus): Promise<OrderDocument>;
  /** Resolves when nothing is on its way any more: every outbox is empty, every group has handled all there is. */
  quiet(): Promise<void>;
  readonly inventory: Database<InventoryTables>;
  behave(behaviour: { delayMs?: number; failRate?: number }): Promise<void>;
}

const partitions = 3;
const groups = ['orders', 'inventory', 'payments', 'shipping', 'order-view', 'catalog-view'] as const;

/** Disposing of the platform disposes of its storage. */
export async function startPlatform(storage: Storage, options: PlatformOptions = {}): Promise<Platform> {
  const logger = silentLogger;
  const { log } = storage;
  const databases = {
    orders: storage.open<OrdersTables>('orders'),
    inventory: storage.open<InventoryTables>('inventory'),
    payments: storage.open<PaymentsTables>('payments'),
    shipping: storage.open<ShippingTables>('shipping'),
    orderView: storage.open<OrderViewTables>('order-view'),
    catalogView: storage.open<CatalogViewTables>('catalog-view'),
  };
  const provider = createPaymentProvider();
  const common = { log, logger, partitions };
  const orders = createOrdersService({ ...common, database: databases.orders });
  const orderView = createOrderViewService({ ...common, database: databases.orderView });
  const catalogView = createCatalogViewService({ ...common, database: databases.catalogView });
  const services = [
    orders,
    createInventoryService({
      ...common,
      database: databases.inventory,
      products: options.products ?? products,
    }),
    createPaymentsService({
      ...common,
      database: databases.payments,
      provider: provider.handle,
      deadlineMs: 500,
      ...(options.giveUpAfterMs === undefined ? {} : { giveUpAfterMs: options.giveUpAfterMs }),
    }),
    createShippingService({
      ...common,
      database: databases.shipping,
      prepareMs: options.prepareMs ?? 1,
      deliverMs: options.deliverMs ?? 1,
    }),
    orderView,
    catalogView,
  ];
  await Promise.all(services.map((service) => service.start()));

  const documents = new Map<string, OrderDocument[]>();
  const parse = createMessageParser([OrderDocumentChanged]);
  await log.tail({
    topics: [topics.orderDocuments.name],
    from: 'start',
    onRecords(records) {
      for (const record of records) {
        const { data } = parse(record)!;
        documents.set(data.orderId, [...(documents.get(data.orderId) ?? []), data]);
      }
    },
  });
  const client = createServiceClient({
    services: { orders: orders.handle, 'order-view': orderView.handle, 'catalog-view': catalogView.handle },
  });
  const actor = { role: 'customer', id: 'ada' } as const;

  async function isQuiet(): Promise<boolean> {
    for (const database of Object.values(databases) as Database<OutboxTables>[]) {
      if (await database.query.selectFrom('outbox').select('id').executeTakeFirst()) return false;
    }
    const names = Object.values(topics).map(({ name }) => name);
    const lags = await Promise.all(
      groups.flatMap((group) => consumedBy(group, names).map((topic) => log.lag(group, topic))),
    );
    return lags.flat().every(({ lag }) => lag === 0);
  }

  return {
    client,
    log,
    provider,
    inventory: databases.inventory,
    place: (orderId, ...lines) =>
      client.call(placeOrder, { commandId: `place-${orderId}`, actor, orderId, customerId: 'ada', lines }),
    cancel: (orderId) =>
      client.call(cancelOrder, { commandId: `cancel-${orderId}`, actor, orderId, reason: 'changed my mind' }),
    published: (orderId) => documents.get(orderId) ?? [],
    publishedOrders: () => [...documents.keys()],
    async reaches(orderId, status) {
      return until(() => documents.get(orderId)?.findLast((document) => document.status === status), {
        what: `${orderId} is ${status}`,
        timeoutMs: 20_000,
      });
    },
    async quiet() {
      // Twice in a row: between an outbox and a group there is a moment when a message is in neither.
      await until(async () => (await isQuiet()) && (await isQuiet()), {
        what: 'nothing is on its way',
        timeoutMs: 60_000,
        everyMs: 20,
      });
    },
    async behave(behaviour) {
      const request = new Request('http://provider/behaviour', {
        method: 'PUT',
        body: JSON.stringify(behaviour),
      });
      await provider.handle(request);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(services.map((service) => service.stop()));
      await storage[Symbol.asyncDispose]();
    },
  };
}

function consumedBy(group: (typeof groups)[number], all: readonly string[]): readonly string[] {
  const { orderCommands, orderEvents, reservationEvents, paymentEvents, shipmentEvents, productEvents } =
    topics;
  const consumed = {
    orders: [orderCommands, reservationEvents, paymentEvents, shipmentEvents],
    inventory: [orderEvents],
    payments: [reservationEvents, orderEvents],
    shipping: [orderEvents],
    'order-view': [orderEvents, reservationEvents, paymentEvents, shipmentEvents],
    'catalog-view': [productEvents],
  }[group];
  return all.filter((name) => consumed.some((topic) => topic.name === name));
}

import { cancelOrder, placeOrder, ProductDocumentChanged, topics } from '@order-platform/contracts';
import {
  createMessage,
  decodeEnvelope,
  encodeEnvelope,
  type Envelope,
  type InputOf,
  type TopicDefinition,
} from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { CallerKeys } from '@tidegate/service';
import { createServiceClient } from '@tidegate/service/operations';
import { temporaryDirectory, until } from '@tidegate/testing';
import { createOrdersService } from './orders-service.ts';
import type { OrdersTables } from './tables.ts';

export const callerKeys = new CallerKeys(['a secret for tests, at least 32 characters']);
export const ada = { role: 'customer', id: 'ada' } as const;
export const lines = [{ productId: 'tea', quantity: 2, unitPriceCents: 450 }];
export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const teaListed = createMessage(ProductDocumentChanged, {
  id: 'product/tea@1',
  key: 'tea',
  sequence: 1,
  timeMs: 1_700_000_000_000,
  data: {
    productId: 'tea',
    version: 1,
    versionVector: { inventory: 1 },
    name: 'Tea',
    description: 'Leaves.',
    category: 'Kitchen',
    price: { amountCents: 450, currency: 'EUR' },
    image: '🍵',
    available: 9,
    reserved: 0,
    updatedAt: '2026-11-23T00:00:00.000Z',
  },
});

/** Publishes the price of tea and waits until the service knows it. */
async function listTea(database: Database<OrdersTables>, log: EventLog): Promise<void> {
  await log.append(topics.productDocuments.name, [encodeEnvelope(teaListed)]);
  await until(() => database.query.selectFrom('product_prices').selectAll().executeTakeFirst(), {
    what: 'the price of tea',
  });
}

/** Starts the orders service in this process; the catalogue has listed tea. */
export async function startOrders() {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<OrdersTables>({ path: `${directory.path}/orders.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  let ids = 0;
  const service = createOrdersService({
    database,
    log,
    logger,
    partitions: 1,
    newId: () => `new-${++ids}`,
    callerKeys,
  });
  await service.start();
  await listTea(database, log);
  const client = createServiceClient({ services: { orders: service.handle } });

  async function published({ name }: TopicDefinition): Promise<Envelope[]> {
    const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
    return (await log.read(range)).map(decodeEnvelope);
  }

  return {
    log,
    client,
    published,
    place: (changes: Partial<InputOf<typeof placeOrder>> = {}) =>
      client.call(placeOrder, {
        commandId: 'c1',
        actor: ada,
        orderId: 'o1',
        customerId: 'ada',
        lines,
        ...changes,
      }),
    cancel: (changes: Partial<InputOf<typeof cancelOrder>> = {}) =>
      client.call(cancelOrder, { commandId: 'c2', actor: ada, orderId: 'o1', reason: 'no more', ...changes }),
    send: (command: Envelope) => log.append(topics.orderCommands.name, [signed(command)]),
    append: (topic: TopicDefinition, envelope: Envelope) =>
      log.append(topic.name, [encodeEnvelope(envelope)]),
    /** Resolves with the published order events as soon as there are `count`. */
    async events(count: number): Promise<Envelope[]> {
      return until(
        async () =>
          (await published(topics.orderEvents)).length >= count ? published(topics.orderEvents) : undefined,
        {
          what: `${count} events are published`,
        },
      );
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

export function signed(command: Envelope) {
  return callerKeys.signRecord(topics.orderCommands.name, encodeEnvelope(command));
}

export const attributes = (orderId: string, sequence: number) => ({
  id: `${orderId}@${sequence}`,
  key: orderId,
  sequence,
  timeMs: 1_700_000_000_000,
});

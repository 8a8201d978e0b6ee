import {
  createMessage,
  decodeEnvelope,
  encodeEnvelope,
  type DataOf,
  type Envelope,
  type MessageDefinition,
  type TopicDefinition,
} from '@tidegate/core';
import { OrderCancelled, OrderDispatched, OrderPlaced, topics } from '@order-platform/contracts';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { assortment } from './assortment.ts';
import { createInventoryService, type InventoryServiceOptions } from './inventory-service.ts';
import type { InventoryTables } from './tables.ts';

const products = ['tea', 'pot'].map((productId) => ({
  productId,
  name: productId,
  description: '',
  category: 'Kitchen',
  priceCents: 450,
  image: '🍵',
  stock: 10,
}));

async function startInventory(options: Partial<InventoryServiceOptions> = {}) {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<InventoryTables>({ path: `${directory.path}/inventory.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  const create = () => createInventoryService({ database, log, logger, partitions: 1, products, ...options });
  let service = create();
  await service.start();
  const sequences = new Map<string, number>();

  /** Appends the next event of an order. */
  async function append<D extends MessageDefinition>(
    definition: D,
    orderId: string,
    data: Partial<DataOf<D>> = {},
  ) {
    const sequence = (sequences.get(orderId) ?? 0) + 1;
    sequences.set(orderId, sequence);
    const envelope = createMessage(definition, {
      id: `orders/${orderId}@${sequence}`,
      key: orderId,
      sequence,
      timeMs: 1_700_000_000_000,
      data: { orderId, ...data } as DataOf<D>,
    });
    await log.append(topics.orderEvents.name, [encodeEnvelope(envelope)]);
  }

  return {
    published: (topic: TopicDefinition) => publishedOn(log, topic),
    handled: () => allHandled(log, database),
    place: (orderId: string, ...quantities: [string, number][]) =>
      append(OrderPlaced, orderId, {
        customerId: 'ada',
        lines: quantities.map(([productId, quantity]) => ({ productId, quantity, unitPriceCents: 450 })),
        total: { amountCents: 450, currency: 'EUR' },
      }),
    cancel: (orderId: string) => append(OrderCancelled, orderId, { reason: 'no more' }),
    dispatch: (orderId: string) => append(OrderDispatched, orderId),
    stock: (productId: string) => stockOf(database, productId),
    async restart() {
      await service.stop();
      service = create();
      await service.start();
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

async function publishedOn(log: EventLog, { name }: TopicDefinition): Promise<Envelope[]> {
  const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
  return (await log.read(range)).map(decodeEnvelope);
}

/** Resolves when every event is consumed and everything in the outbox is published. */
async function allHandled(log: EventLog, database: Database<InventoryTables>): Promise<void> {
  const consumed = async () =>
    (await log.lag('inventory', topics.orderEvents.name)).every(({ lag }) => lag === 0);
  await until(consumed, { what: 'every event is handled' });
  const relayed = async () => !(await database.query.selectFrom('outbox').select('id').executeTakeFirst());
  await until(relayed, { what: 'the outbox is empty' });
}

async function stockOf(database: Database<InventoryTables>, productId: string) {
  return database.query
    .selectFrom('products')
    .select(['received', 'available', 'reserved', 'sold'])
    .where('product_id', '=', productId)
    .executeTakeFirstOrThrow();
}

const summaries = (envelopes: Envelope[]) =>
  envelopes.map(({ subject, type, sequence }) => `${subject} ${type.split('.').at(-1)} ${sequence}`);

describe('inventory', () => {
  it('lists its products once, after any number of starts', async () => {
    await using inventory = await startInventory();
    await inventory.restart();
    await inventory.handled();
    expect(summaries(await inventory.published(topics.productEvents))).toEqual([
      'tea ProductListed 1',
      'pot ProductListed 1',
    ]);
  });

  it('reserves the stock of an order and releases it when the order is cancelled', async () => {
    await using inventory = await startInventory();
    await inventory.place('o1', ['tea', 3], ['pot', 1]);
    await inventory.handled();
    expect(await inventory.stock('tea')).toEqual({ received: 10, available: 7, reserved: 3, sold: 0 });
    await inventory.cancel('o1');
    await inventory.handled();
    expect(await inventory.stock('tea')).toEqual({ received: 10, available: 10, reserved: 0, sold: 0 });
    expect(summaries(await inventory.published(topics.reservationEvents))).toEqual([
      'o1 StockReserved 1',
      'o1 StockReleased 2',
    ]);
    expect(summaries(await inventory.published(topics.productEvents)).slice(2)).toEqual([
      'pot StockLevelChanged 2',
      'tea StockLevelChanged 2',
      'pot StockLevelChanged 3',
      'tea StockLevelChanged 3',
    ]);
  });

  it('sells the reserved stock when the order is dispatched', async () => {
    await using inventory = await startInventory();
    await inventory.place('o1', ['tea', 3]);
    await inventory.dispatch('o1');
    await inventory.handled();
    expect(await inventory.stock('tea')).toEqual({ received: 10, available: 7, reserved: 0, sold: 3 });
  });

  it('rejects an order that it cannot reserve completely, and releases nothing when that order is cancelled', async () => {
    await using inventory = await startInventory();
    await inventory.place('o1', ['tea', 3], ['pot', 11]);
    await inventory.cancel('o1');
    await inventory.handled();
    expect(summaries(await inventory.published(topics.reservationEvents))).toEqual(['o1 StockRejected 1']);
    expect(await inventory.stock('tea')).toEqual({ received: 10, available: 10, reserved: 0, sold: 0 });
  });

  it('reserves no more than is available', async () => {
    await using inventory = await startInventory();
    for (let index = 0; index < 15; index++) await inventory.place(`o${index}`, ['tea', 1]);
    await inventory.handled();
    const outcomes = summaries(await inventory.published(topics.reservationEvents));
    expect(outcomes.filter((each) => each.includes('StockReserved'))).toHaveLength(10);
    expect(outcomes.filter((each) => each.includes('StockRejected'))).toHaveLength(5);
    expect(await inventory.stock('tea')).toEqual({ received: 10, available: 0, reserved: 10, sold: 0 });
  });

  it('refills a product that runs low when a restock rule is set', async () => {
    await using inventory = await startInventory({ restock: { belowQuantity: 5, toQuantity: 20 } });
    await inventory.place('o1', ['tea', 6]);
    await inventory.handled();
    expect(await inventory.stock('tea')).toEqual({ received: 26, available: 20, reserved: 6, sold: 0 });
  });

  it('has an assortment of forty different products', () => {
    expect(new Set(assortment.map(({ productId }) => productId)).size).toBe(40);
    expect(new Set(assortment.map(({ name }) => name)).size).toBe(40);
  });
});

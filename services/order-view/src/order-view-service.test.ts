import {
  createMessage,
  decodeEnvelope,
  encodeEnvelope,
  type DataOf,
  type Envelope,
  type MessageDefinition,
} from '@tidegate/core';
import {
  getOrders,
  listOrders,
  OrderCancelled,
  OrderConfirmed,
  OrderPlaced,
  ShipmentPrepared,
  StockReserved,
  topics,
  type OrderDocument,
} from '@order-platform/contracts';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createServiceClient } from '@tidegate/service/operations';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createOrderViewService } from './order-view-service.ts';
import type { OrderViewTables } from './tables.ts';

const all = { kind: 'all' } as const;
const ofAda = { kind: 'customers' as const, customerIds: ['ada'] };

const startMs = Date.UTC(2026, 10, 23);
const lines = [{ productId: 'tea', quantity: 2, unitPriceCents: 450 }];
const total = { amountCents: 900, currency: 'EUR' } as const;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function startView() {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<OrderViewTables>({ path: `${directory.path}/view.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  const service = createOrderViewService({ database, log, logger, partitions: 1 });
  await service.start();
  const client = createServiceClient({ services: { 'order-view': service.handle } });

  async function published(): Promise<Envelope<OrderDocument>[]> {
    const { name } = topics.orderDocuments;
    const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
    return (await log.read(range)).map(decodeEnvelope) as Envelope<OrderDocument>[];
  }

  async function append<D extends MessageDefinition>(
    definition: D,
    orderId: string,
    sequence: number,
    data: Partial<DataOf<D>> = {},
    timeMs = startMs + sequence,
  ): Promise<void> {
    const envelope = createMessage(definition, {
      id: `${definition.source}/${orderId}@${sequence}`,
      key: orderId,
      sequence,
      timeMs,
      data: { orderId, ...data } as DataOf<D>,
      traceparent,
    });
    await log.append(definition.topic.name, [encodeEnvelope(envelope)]);
  }

  return {
    client,
    append,
    place: (orderId: string, customerId = 'ada', timeMs = startMs) =>
      append(OrderPlaced, orderId, 1, { customerId, lines, total }, timeMs),
    published,
    async publishes(count: number): Promise<Envelope<OrderDocument>[]> {
      await until(async () => (await published()).length >= count, {
        what: `${count} documents are published`,
      });
      return published();
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

describe('the order view', () => {
  it('publishes every change as a whole document, with dense versions and the trace of its cause', async () => {
    await using view = await startView();
    await view.place('o1');
    await view.append(StockReserved, 'o1', 1, { customerId: 'ada', lines, total });
    await view.append(OrderConfirmed, 'o1', 2);
    const documents = await view.publishes(3);
    expect(documents.map(({ id, sequence }) => [id, sequence])).toEqual([
      ['order/o1@1', 1],
      ['order/o1@2', 2],
      ['order/o1@3', 3],
    ]);
    expect(documents[0]).toMatchObject({
      causationid: '/tidegate/orders/o1@1',
      traceparent,
      data: { customerId: 'ada', status: 'PLACED', total, placedAt: '2026-11-23T00:00:00.000Z' },
    });
  });

  it('publishes no document before OrderPlaced has arrived, then one with all parts', async () => {
    await using view = await startView();
    await view.append(StockReserved, 'early', 1, { customerId: 'ada', lines, total });
    await view.append(ShipmentPrepared, 'early', 1, { shipmentId: 's1' });
    await view.place('other');
    await view.publishes(1);
    expect(await view.client.call(getOrders, { access: all, ids: ['early'] })).toEqual({
      orders: [null],
      satisfied: true,
    });
    await view.place('early');
    await until(async () => (await view.published()).at(-1)?.data.versionVector.shipping === 1, {
      what: 'all three messages are in the document',
    });
    const early = (await view.published()).filter(({ subject }) => subject === 'early');
    expect(early.map(({ sequence }) => sequence)).toEqual(early.map((_, index) => index + 1));
    expect(early.at(-1)?.data.status).toBe('PREPARING');
  });

  it('publishes nothing for a repeated message', async () => {
    await using view = await startView();
    await view.place('o1');
    await view.place('o1');
    await view.append(OrderConfirmed, 'o1', 2);
    expect((await view.publishes(2)).map(({ data }) => data.status)).toEqual(['PLACED', 'CONFIRMED']);
  });

  it('returns orders in the order of the ids, null for unknown ones', async () => {
    await using view = await startView();
    await view.place('o1');
    await view.place('o2');
    await view.publishes(2);
    const { orders } = await view.client.call(getOrders, { access: all, ids: ['o2', 'none', 'o1', 'o2'] });
    expect(orders.map((order) => order?.orderId)).toEqual(['o2', undefined, 'o1', 'o2']);
  });

  it('waits for the version in a token', async () => {
    await using view = await startView();
    const freshness = { token: 'order/o1@2+product/tea@9', waitMs: 10_000 };
    const read = view.client.call(getOrders, { access: all, ids: ['o1'], freshness }, { deadlineMs: 12_000 });
    const list = view.client.call(listOrders, { access: all, first: 10, freshness }, { deadlineMs: 12_000 });
    await view.place('o1');
    await view.append(OrderConfirmed, 'o1', 2);
    expect(await read).toMatchObject({ satisfied: true, orders: [{ status: 'CONFIRMED' }] });
    expect(await list).toMatchObject({ satisfied: true, orders: [{ status: 'CONFIRMED' }] });
  });

  it('returns the present state as not satisfied when the version is not reached in time', async () => {
    await using view = await startView();
    await view.place('o1');
    await view.publishes(1);
    const answer = await view.client.call(getOrders, {
      access: all,
      ids: ['o1'],
      freshness: { token: 'order/o1@2', waitMs: 10 },
    });
    expect(answer).toMatchObject({ satisfied: false, orders: [{ status: 'PLACED' }] });
  });

  it('hides orders outside of the access, also while it waits for their version', async () => {
    await using view = await startView();
    await view.place('o1', 'ada');
    await view.place('o2', 'bob');
    await view.publishes(2);
    const known = { access: ofAda, ids: ['o1', 'o2', 'none'] };
    expect((await view.client.call(getOrders, known)).orders.map((order) => order?.orderId)).toEqual([
      'o1',
      undefined,
      undefined,
    ]);
    const demand = (id: string) =>
      view.client.call(getOrders, {
        access: ofAda,
        ids: [id],
        freshness: { token: `order/${id}@1`, waitMs: 50 },
      });
    const [foreign, missing] = await Promise.all([demand('o2'), demand('none')]);
    expect(foreign).toEqual(missing);
    expect(foreign).toEqual({ orders: [null], satisfied: false });
    expect(await demand('o1')).toMatchObject({ satisfied: true, orders: [{ orderId: 'o1' }] });
  });

  it('lists nothing for an access without customers', async () => {
    await using view = await startView();
    await view.place('o1', 'ada');
    await view.publishes(1);
    const access = { kind: 'customers' as const, customerIds: [] };
    expect(await view.client.call(listOrders, { access, first: 10 })).toMatchObject({
      orders: [],
      totalCount: 0,
    });
  });

  it('refuses a malformed token', async () => {
    await using view = await startView();
    const freshness = { token: 'gibberish', waitMs: 10 };
    await expect(view.client.call(getOrders, { access: all, ids: ['o1'], freshness })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});

describe('the list of orders', () => {
  async function startWithOrders() {
    const view = await startView();
    // Two orders with the same time: only their ids differ.
    for (const [orderId, customerId, second] of [
      ['a', 'ada', 1],
      ['b', 'bob', 2],
      ['c', 'ada', 2],
      ['d', 'ada', 3],
    ] as const) {
      await view.place(orderId, customerId, startMs + second * 1000);
    }
    await view.append(OrderCancelled, 'c', 2, { reason: '' });
    await view.publishes(5);
    return view;
  }
  const ids = ({ orders }: { orders: readonly OrderDocument[] }) => orders.map(({ orderId }) => orderId);

  it('pages from the newest to the oldest without a gap or a repeat', async () => {
    await using view = await startWithOrders();
    const seen: string[] = [];
    let after: { placedAt: string; orderId: string } | undefined;
    for (let hasNextPage = true; hasNextPage;) {
      const page = await view.client.call(listOrders, { access: all, first: 1, ...(after ? { after } : {}) });
      expect(page.totalCount).toBe(4);
      seen.push(...ids(page));
      after = page.orders.at(-1);
      hasNextPage = page.hasNextPage;
    }
    expect(seen).toEqual(['d', 'c', 'b', 'a']);
  });

  it('is filtered by customer and by statuses, as is its count', async () => {
    await using view = await startWithOrders();
    const ada = await view.client.call(listOrders, { access: ofAda, first: 10 });
    expect([ids(ada), ada.totalCount]).toEqual([['d', 'c', 'a'], 3]);
    const placed = await view.client.call(listOrders, { access: ofAda, first: 10, statuses: ['PLACED'] });
    expect([ids(placed), placed.totalCount]).toEqual([['d', 'a'], 2]);
    const none = view.client.call(listOrders, { access: all, first: 10, statuses: [] });
    await expect(none).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

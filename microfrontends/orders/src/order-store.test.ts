import type { LiveClient, QueryRequest, Result, SubscribeRequest } from '@tidegate/live-client';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { perLane, type LaneId } from './lanes.ts';
import type { Order, OrderStatus } from './order.ts';
import { startOrderStore, type OrderStore } from './order-store.ts';

type Data = { orders: Order };
type Pages = Partial<Record<LaneId, { orders?: readonly Order[]; totalCount?: number }>>;

/** A client with answers that the test resolves. */
class ClientFixture implements Pick<LiveClient, 'subscribe' | 'query'> {
  readonly calls: string[] = [];
  readonly answers: { board: (pages: Pages) => void; fail: (message: string) => void }[] = [];
  subscription: SubscribeRequest<Data> | undefined;

  subscribe<T>(request: SubscribeRequest<T>): () => void {
    this.calls.push('subscribe');
    this.subscription = request as unknown as SubscribeRequest<Data>;
    return () => this.calls.push('unsubscribe');
  }

  query<T>({ query }: QueryRequest): Promise<Result<T>> {
    this.calls.push(/query (\w+)/.exec(query)?.[1] ?? '');
    const { promise, resolve, reject } = Promise.withResolvers<Result<T>>();
    this.answers.push({
      board: (pages) => {
        const page = (lane: LaneId) => {
          const { orders = [], totalCount = orders.length } = pages[lane] ?? {};
          const pageInfo = { hasNextPage: totalCount > orders.length, endCursor: 'next' };
          return { totalCount, pageInfo, edges: orders.map((node) => ({ node })) };
        };
        resolve({ data: { ...perLane(page), page: page('finished') } as T });
      },
      fail: (message) => reject(new Error(message)),
    });
    return promise;
  }

  live(): void {
    this.subscription?.onPhase?.('live');
  }

  change(order: Order): void {
    this.subscription?.onResult({ data: { orders: order } });
  }

  /** Reports a reset as the client does: it is live right after. */
  reset(): void {
    this.subscription?.onPhase?.('connecting');
    this.subscription?.onReset?.('CURSOR_EXPIRED');
    this.live();
  }
}

function order(version: number, status: OrderStatus, id = 'o1'): Order {
  const total = { amountCents: 100, currency: 'EUR' };
  const times = { placedAt: '2026-11-23T06:00:00.000Z', updatedAt: '2026-11-23T06:00:01.000Z' };
  const none = { note: null, rejection: null, payment: null, shipment: null };
  return { id, version, status, customerId: 'customer-1', lines: [], steps: [], total, ...times, ...none };
}

describe('the order store', () => {
  let client: ClientFixture;
  let store: OrderStore;
  beforeEach(() => {
    client = new ClientFixture();
    store = startOrderStore(client as unknown as LiveClient);
  });
  afterEach(() => store.stop());

  const shown = () =>
    [...store.orders.value.values()].map(({ order: { id, version } }) => `${id}@${version}`);
  const shows = (...wanted: string[]) =>
    until(() => shown().join() === wanted.join(), { what: `the store shows ${wanted.join()}` });
  const answered = async (pages: Pages, index = client.answers.length - 1): Promise<void> => {
    client.answers[index]?.board(pages);
    await until(() => !store.loading.value, { what: 'the first answer' });
    await new Promise((resolve) => setImmediate(resolve));
  };

  it('queries the orders once: when its subscription is live', async () => {
    expect(client.calls).toEqual(['subscribe']);
    client.live();
    await answered({ placed: { orders: [order(1, 'PLACED')] } });
    await shows('o1@1');
    client.subscription?.onPhase?.('catching-up');
    client.live();
    expect(client.calls).toEqual(['subscribe', 'Board']);
  });

  it('queries without a live subscription after a while, and says of which time the orders are', async () => {
    await until(() => client.calls.includes('Board'), { what: 'the query' });
    await answered({ placed: { orders: [order(1, 'PLACED')] } });
    expect(store.asOfMs.value).toBeTypeOf('number');
    client.live();
    await answered({ placed: { orders: [order(2, 'PLACED')] } });
    await shows('o1@2');
    expect(store.asOfMs.value).toBeUndefined();
  });

  it('keeps a change that is newer than a later answer', async () => {
    client.live();
    client.change(order(3, 'CONFIRMED'));
    await shows('o1@3');
    await answered({
      reserved: { orders: [order(2, 'RESERVED')] },
      placed: { orders: [order(1, 'PLACED', 'o2')] },
    });
    await shows('o2@1', 'o1@3');
  });

  it('replaces the set after a reset, also by lower versions and fewer orders', async () => {
    client.live();
    await answered({ dispatched: { orders: [order(5, 'DISPATCHED'), order(5, 'DISPATCHED', 'gone')] } });
    await shows('o1@5', 'gone@5');
    client.reset();
    expect(store.asOfMs.value).toBeTypeOf('number');
    await answered({ placed: { orders: [order(1, 'PLACED')] } });
    await shows('o1@1');
    expect(store.counts.value).toEqual({ ...perLane(() => 0), placed: 1 });
    expect(store.asOfMs.value).toBeUndefined();
  });

  it('shows the former set as of its time until the query after a reset succeeds', async () => {
    client.live();
    await answered({ dispatched: { orders: [order(5, 'DISPATCHED')] } });
    client.reset();
    client.change(order(1, 'PLACED', 'o2'));
    client.answers.at(-1)?.fail('The server cannot be reached.');
    await until(() => store.problem.value !== '', { what: 'the problem' });
    expect(shown()).toEqual(['o1@5']);
    expect(store.asOfMs.value).toBeTypeOf('number');
    await until(() => client.answers.length === 3, { what: 'the query is repeated by itself' });
    await answered({ placed: { orders: [order(1, 'PLACED', 'o2')] } });
    await shows('o2@1');
    expect([store.problem.value, store.asOfMs.value]).toEqual(['', undefined]);
  });

  it('discards the answer of a query from before a reset', async () => {
    client.live();
    client.reset();
    client.answers[0]?.board({ dispatched: { orders: [order(5, 'DISPATCHED')] } });
    await answered({ placed: { orders: [order(1, 'PLACED')] } });
    await shows('o1@1');
  });

  it('counts by the server, not by the orders that it has loaded', async () => {
    client.live();
    const page = Array.from({ length: 20 }, (_, index) => order(1, 'PLACED', `o${index}`));
    await answered({ placed: { orders: page, totalCount: 250 } });
    expect(store.counts.value.placed).toBe(250);
    client.change(order(2, 'RESERVED'));
    await until(() => store.counts.value.placed === 249, { what: 'the lane that the order has left' });
    expect(store.counts.value.reserved).toBe(1);
    // The former lane of an order that is not loaded is unknown: the server is asked.
    client.change(order(4, 'RESERVED', 'unseen'));
    await until(() => client.calls.length === 3, { what: 'a query of the counts or of the short lane' });
  });

  it('queries the pages of a lane until as many orders are shown as were requested', async () => {
    client.live();
    const first = Array.from({ length: 20 }, (_, index) => order(9, 'DELIVERED', `a${index}`));
    const second = Array.from({ length: 20 }, (_, index) => order(9, 'DELIVERED', `b${index}`));
    await answered({ finished: { orders: first, totalCount: 120 } });
    store.showMore('finished');
    await answered({ finished: { orders: first, totalCount: 120 } });
    await until(() => client.calls.at(-1) === 'LanePage', { what: 'the query of the second page' });
    client.answers.at(-1)?.board({ finished: { orders: second, totalCount: 120 } });
    await until(() => store.orders.value.size === 40, { what: 'both pages' });
    expect(store.counts.value.finished).toBe(120);
  });

  it('ends its subscription when it is stopped', () => {
    store.stop();
    expect(client.calls.at(-1)).toBe('unsubscribe');
  });
});

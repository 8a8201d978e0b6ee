import type { LiveClient, QueryRequest, Result, SubscribeRequest } from '@tidegate/live-client';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Order, OrderStatus } from './order.ts';
import { startOrderStore, type OrderStore } from './order-store.ts';

type Data = { orders: Order };

/** A client with answers that the test resolves. */
class ClientFixture implements LiveClient {
  readonly phase = 'live';
  readonly transport = 'websocket';
  readonly calls: string[] = [];
  readonly answers: ((orders: readonly Order[]) => void)[] = [];
  subscription: SubscribeRequest<Data> | undefined;

  subscribe<T>(request: SubscribeRequest<T>): () => void {
    this.calls.push('subscribe');
    this.subscription = request as unknown as SubscribeRequest<Data>;
    return () => this.calls.push('unsubscribe');
  }

  query<T>(_request: QueryRequest): Promise<Result<T>> {
    this.calls.push('query');
    const { promise, resolve } = Promise.withResolvers<Result<T>>();
    this.answers.push((orders) => {
      resolve({ data: { orders: { edges: orders.map((node) => ({ node })) } } as T });
    });
    return promise;
  }

  close(): void {}
}

function order(version: number, status: OrderStatus, id = 'o1'): Order {
  const total = { amountCents: 100, currency: 'EUR' };
  const times = { placedAt: '2026-11-23T06:00:00.000Z', updatedAt: '2026-11-23T06:00:01.000Z' };
  const none = { note: null, rejection: null, payment: null, shipment: null };
  return { id, version, status, customerId: 'customer-1', lines: [], total, ...times, ...none };
}

describe('the order store', () => {
  let client: ClientFixture;
  let store: OrderStore;
  beforeEach(() => {
    client = new ClientFixture();
    store = startOrderStore(client);
  });
  afterEach(() => store.stop());

  const shown = () =>
    [...store.orders.value.values()].map(({ order: { id, version } }) => `${id}@${version}`);
  const shows = (...wanted: string[]) =>
    until(() => shown().join() === wanted.join(), { what: `the store shows ${wanted.join()}` });

  it('subscribes before it queries', () => {
    expect(client.calls).toEqual(['subscribe', 'query']);
  });

  it('keeps a change that is newer than a later answer', async () => {
    client.subscription?.onResult({ data: { orders: order(3, 'CONFIRMED') } });
    await shows('o1@3');
    client.answers[0]?.([order(2, 'RESERVED'), order(1, 'PLACED', 'o2')]);
    await shows('o1@3', 'o2@1');
    expect(store.loading.value).toBe(false);
  });

  it('queries again after a reset', async () => {
    client.answers[0]?.([order(1, 'PLACED')]);
    await shows('o1@1');
    client.subscription?.onReset?.('CURSOR_EXPIRED');
    client.answers[1]?.([order(5, 'DISPATCHED')]);
    await shows('o1@5');
  });

  it('queries again when its subscription is live for the first time, and not later', async () => {
    client.answers[0]?.([order(1, 'PLACED')]);
    await shows('o1@1');
    client.subscription?.onPhase?.('live');
    client.answers[1]?.([order(2, 'RESERVED')]);
    await shows('o1@2');
    client.subscription?.onPhase?.('catching-up');
    client.subscription?.onPhase?.('live');
    expect(client.calls).toEqual(['subscribe', 'query', 'query']);
  });

  it('ends its subscription when it is stopped', () => {
    store.stop();
    expect(client.calls.at(-1)).toBe('unsubscribe');
  });
});

import type { LiveClient, SubscribeRequest } from '@tidegate/live-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { BasketStore } from './basket-store.ts';

describe('the basket', () => {
  let announcements: string[];
  let requests: SubscribeRequest<unknown>[];
  let unsubscribed: number;
  let basket: BasketStore;
  beforeEach(() => {
    announcements = [];
    requests = [];
    unsubscribed = 0;
    const client = {
      subscribe: (request: SubscribeRequest<unknown>) => {
        requests.push(request);
        return () => (unsubscribed += 1);
      },
    } as unknown as LiveClient;
    basket = new BasketStore(client, (text) => announcements.push(text));
    basket.setQuantity('tea', 2);
    basket.setNote('ring twice');
    basket.placed('o-1');
  });

  const report = (status: string, version = 2) =>
    requests[0]?.onResult({ data: { order: { id: 'o-1', status, version } } });
  const quantities = () => [...basket.content.value.quantities];

  it('is empty once its order is placed, and has the products again when the order is rejected', () => {
    expect(quantities()).toEqual([]);
    report('PLACED');
    report('RESERVED', 3);
    report('REJECTED', 4);
    expect(quantities()).toEqual([['tea', 2]]);
    expect(basket.content.value.note).toBe('ring twice');
    expect([announcements.length, unsubscribed]).toEqual([1, 1]);
  });

  it('keeps a new basket when an earlier order is rejected', () => {
    basket.setQuantity('kettle', 1);
    report('REJECTED');
    expect(quantities()).toEqual([['kettle', 1]]);
  });

  it('forgets the basket of an order that can no longer be rejected', () => {
    report('CONFIRMED');
    expect([quantities(), unsubscribed]).toEqual([[], 1]);
  });

  it('remembers the baskets of five orders', () => {
    for (let count = 2; count <= 7; count++) basket.placed(`o-${count}`);
    expect(unsubscribed).toBe(2);
    basket.stop();
    expect(unsubscribed).toBe(7);
  });
});

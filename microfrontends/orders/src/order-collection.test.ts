import { describe, expect, it } from 'vitest';
import { mergeOrder } from './order-collection.ts';
import type { Order, OrderStatus } from './order.ts';

function order(version: number, status: OrderStatus, id = 'o1'): Order {
  return {
    id,
    version,
    status,
    customerId: 'customer-1',
    lines: [],
    total: { amountCents: 100, currency: 'EUR' },
    note: null,
    rejection: null,
    payment: null,
    shipment: null,
    steps: [],
    placedAt: '2026-11-23T06:00:00.000Z',
    updatedAt: `2026-11-23T06:00:${String(version).padStart(2, '0')}.000Z`,
  };
}

describe('merging an order', () => {
  it('keeps the highest version, in any order of arrival', () => {
    const live = mergeOrder(undefined, order(3, 'CONFIRMED'), 1_000);
    const afterQuery = mergeOrder(live, order(2, 'RESERVED'));
    expect(afterQuery).toBe(live);
    expect(mergeOrder(live, order(4, 'PREPARING'), 2_000)).toMatchObject({ changedAtMs: 2_000 });
  });
});

import { describe, expect, it } from 'vitest';
import { includesCustomer } from './access.ts';
import { getCommandOutcome } from './orders.ts';
import { getOrders, listOrders } from './order-view.ts';

describe('the access of a read', () => {
  it('includes the customers it names and nobody else', () => {
    const named = { kind: 'customers' as const, customerIds: ['ada'] };
    expect([includesCustomer(named, 'ada'), includesCustomer(named, 'bob')]).toEqual([true, false]);
    expect(includesCustomer({ kind: 'customers', customerIds: [] }, 'ada')).toBe(false);
    expect(includesCustomer({ kind: 'all' }, 'ada')).toBe(true);
  });

  it('does not include an order whose customer is unknown, unless it is all', () => {
    expect(includesCustomer({ kind: 'customers', customerIds: ['ada'] }, null)).toBe(false);
    expect(includesCustomer({ kind: 'all' }, null)).toBe(true);
  });

  it.each([
    ['get-orders', getOrders.input, { ids: ['o1'] }],
    ['list-orders', listOrders.input, { first: 1 }],
    ['get-command-outcome', getCommandOutcome.input, { commandId: 'c1' }],
  ])('is required by %s', (_name, input, rest) => {
    expect(input.safeParse(rest).success).toBe(false);
    expect(input.safeParse({ ...rest, access: { kind: 'all' } }).success).toBe(true);
  });
});

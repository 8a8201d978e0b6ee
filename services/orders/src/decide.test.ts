import { describe, expect, it } from 'vitest';
import { decide, react, type ClientCommand, type Reaction } from './decide.ts';
import { evolve, unknownOrder, type OrderEvent } from './evolve.ts';

const customer = { role: 'customer', id: 'ada' } as const;
const operator = { role: 'operator', id: 'olga' } as const;
const lines = [
  { productId: 'tea', quantity: 2, unitPriceCents: 450 },
  { productId: 'pot', quantity: 1, unitPriceCents: 2900 },
];

const prices = new Map([
  ['tea', 450],
  ['pot', 2900],
]);

const placed: OrderEvent = {
  name: 'OrderPlaced',
  data: { orderId: 'o1', customerId: 'ada', lines, total: { amountCents: 3800, currency: 'EUR' } },
};
const confirmed: OrderEvent = { name: 'OrderConfirmed', data: { orderId: 'o1' } };
const dispatched: OrderEvent = { name: 'OrderDispatched', data: { orderId: 'o1' } };
const completed: OrderEvent = { name: 'OrderCompleted', data: { orderId: 'o1' } };
const cancelled: OrderEvent = { name: 'OrderCancelled', data: { orderId: 'o1', reason: 'changed my mind' } };
const reason = { code: 'OUT_OF_STOCK', message: 'No tea is left.' };
const rejected: OrderEvent = { name: 'OrderRejected', data: { orderId: 'o1', reason } };

function given(...events: OrderEvent[]) {
  const state = events.reduce(evolve, unknownOrder);
  return {
    when: (command: ClientCommand) => decide(command, state, prices),
    react: (reaction: Reaction) => react(reaction, state),
  };
}

function place(
  changes: Partial<Extract<ClientCommand, { name: 'place-order' }>['input']> = {},
): ClientCommand {
  const input = { commandId: 'c1', actor: customer, orderId: 'o1', customerId: 'ada', lines, ...changes };
  return { name: 'place-order', input };
}

function cancel(actor: ClientCommand['input']['actor'] = customer): ClientCommand {
  return {
    name: 'cancel-order',
    input: { commandId: 'c2', actor, orderId: 'o1', reason: 'changed my mind' },
  };
}

const rejectedWith = (code: string) => ({
  status: 'rejected',
  reason: { code, message: expect.any(String) as string },
});

describe('placing an order', () => {
  it('is accepted with the total of its lines', () => {
    expect(given().when(place())).toEqual({ status: 'accepted', events: [placed] });
  });

  it('keeps the note', () => {
    const decision = given().when(place({ note: 'ring twice' }));
    expect(decision).toMatchObject({ events: [{ data: { note: 'ring twice' } }] });
  });

  it('is accepted for any customer when an operator orders', () => {
    expect(given().when(place({ actor: operator }))).toMatchObject({ status: 'accepted' });
  });

  it('is rejected when a customer orders for another customer', () => {
    expect(given().when(place({ customerId: 'bob' }))).toEqual(rejectedWith('FORBIDDEN'));
  });

  it('is rejected when the order exists', () => {
    expect(given(placed).when(place())).toEqual(rejectedWith('ORDER_EXISTS'));
  });

  it('is accepted at 10,000 EUR and rejected at one cent more', () => {
    const costing = (unitPriceCents: number) =>
      place({ lines: [{ productId: 'car', quantity: 1, unitPriceCents }] });
    const decided = (cents: number) => decide(costing(cents), unknownOrder, new Map([['car', cents]]));
    expect(decided(1_000_000)).toMatchObject({ status: 'accepted' });
    expect(decided(1_000_001)).toEqual(rejectedWith('ORDER_TOO_LARGE'));
  });

  it("is rejected at a price that is not the catalogue's, whoever sends it", () => {
    const cheap = [{ productId: 'tea', quantity: 2, unitPriceCents: 1 }];
    for (const actor of [customer, operator, { role: 'system', id: 'demo' } as const])
      expect(given().when(place({ actor, lines: cheap }))).toEqual(rejectedWith('PRICE_CHANGED'));
    const unknown = [{ productId: 'rum', quantity: 1, unitPriceCents: 450 }];
    expect(given().when(place({ lines: unknown }))).toEqual(rejectedWith('UNKNOWN_PRODUCT'));
  });
});

describe('cancelling an order', () => {
  it.each([
    ['placed', [placed]],
    ['confirmed', [placed, confirmed]],
  ])('is accepted while it is %s', (_, events) => {
    expect(given(...events).when(cancel())).toEqual({ status: 'accepted', events: [cancelled] });
  });

  it('is accepted from an operator', () => {
    expect(given(placed).when(cancel(operator))).toMatchObject({ status: 'accepted' });
  });

  it.each<[string, string, OrderEvent[]]>([
    ['ORDER_NOT_FOUND', 'there is none', []],
    ['ALREADY_CANCELLED', 'it is cancelled', [placed, cancelled]],
    ['ALREADY_REJECTED', 'it was rejected', [placed, rejected]],
    ['TOO_LATE_TO_CANCEL', 'it was dispatched', [placed, confirmed, dispatched]],
    ['TOO_LATE_TO_CANCEL', 'it was delivered', [placed, confirmed, dispatched, completed]],
  ])('is rejected with %s when %s', (code, _, events) => {
    expect(given(...events).when(cancel())).toEqual(rejectedWith(code));
  });

  it("is rejected with ORDER_NOT_FOUND for another customer's order, as for a missing one", () => {
    expect(given(placed).when(cancel({ role: 'customer', id: 'bob' }))).toEqual(
      rejectedWith('ORDER_NOT_FOUND'),
    );
  });
});

describe('a reaction to another service', () => {
  it.each<[Reaction, OrderEvent, OrderEvent[]]>([
    [{ name: 'confirm' }, confirmed, [placed]],
    [{ name: 'reject', reason }, rejected, [placed]],
    [{ name: 'dispatch' }, dispatched, [placed, confirmed]],
    [{ name: 'complete' }, completed, [placed, confirmed, dispatched]],
  ])('%j appends its event', (reaction, event, history) => {
    expect(given(...history).react(reaction)).toEqual([event]);
  });

  it.each<[Reaction, string, OrderEvent[]]>([
    [{ name: 'confirm' }, 'an unknown order', []],
    [{ name: 'confirm' }, 'a cancelled order', [placed, cancelled]],
    [{ name: 'confirm' }, 'an order confirmed before', [placed, confirmed]],
    [{ name: 'reject', reason }, 'a cancelled order', [placed, cancelled]],
    [{ name: 'reject', reason }, 'a confirmed order', [placed, confirmed]],
    [{ name: 'dispatch' }, 'a cancelled order', [placed, confirmed, cancelled]],
    [{ name: 'dispatch' }, 'an order dispatched before', [placed, confirmed, dispatched]],
    [{ name: 'complete' }, 'a cancelled order', [placed, confirmed, cancelled]],
  ])('%j appends nothing to %s', (reaction, _, history) => {
    expect(given(...history).react(reaction)).toEqual([]);
  });
});

import type { Actor, cancelOrder, OrderLine, placeOrder, Rejection } from '@order-platform/contracts';
import type { InputOf } from '@tidegate/core';
import type { OrderEvent, OrderState } from './evolve.ts';

/** A client's command. It is accepted or rejected, and the client receives the outcome. */
export type ClientCommand =
  | { readonly name: 'place-order'; readonly input: InputOf<typeof placeOrder> & { orderId: string } }
  | { readonly name: 'cancel-order'; readonly input: InputOf<typeof cancelOrder> };

/** The consequence of another service's event for an order. Late and repeated reactions are ignored. */
export type Reaction =
  | { readonly name: 'confirm' }
  | { readonly name: 'reject'; readonly reason: Rejection }
  | { readonly name: 'dispatch' }
  | { readonly name: 'complete' };

/** The events that follow from a command, or the reason of its rejection. */
export type Decision =
  | { readonly status: 'accepted'; readonly events: readonly OrderEvent[] }
  | { readonly status: 'rejected'; readonly reason: Rejection };

/** Maximum total of an order, 10,000 EUR. Larger orders go through sales. */
export const MAX_TOTAL_CENTS = 1_000_000;

/** Price in cents of each known product. */
export type Prices = ReadonlyMap<string, number>;

/**
 * Decides a client's command. Pure: no clock, no database, no generated ids.
 *
 * @param prices the catalogue's prices of the products to order; a command at another price is rejected.
 */
export function decide(command: ClientCommand, state: OrderState, prices: Prices = new Map()): Decision {
  return command.name === 'place-order' ? place(command.input, state, prices) : cancel(command.input, state);
}

function place(
  input: InputOf<typeof placeOrder> & { orderId: string },
  state: OrderState,
  prices: Prices,
): Decision {
  const { actor, orderId, customerId, lines, note } = input;
  if (!mayActFor(actor, customerId)) {
    return reject('FORBIDDEN', 'A customer places orders for themselves only.');
  }
  if (state.phase !== 'unknown') return reject('ORDER_EXISTS', `The order ${orderId} exists already.`);
  for (const { productId, unitPriceCents } of lines) {
    const price = prices.get(productId);
    if (price === undefined) return reject('UNKNOWN_PRODUCT', `There is no product "${productId}".`);
    if (price !== unitPriceCents)
      return reject('PRICE_CHANGED', `The price of "${productId}" is another one.`);
  }
  const amountCents = totalCents(lines);
  if (amountCents > MAX_TOTAL_CENTS) {
    return reject('ORDER_TOO_LARGE', 'The total is over 10,000 EUR; ask sales for an order of this size.');
  }
  return accept({
    name: 'OrderPlaced',
    data: { orderId, customerId, lines, total: { amountCents, currency: 'EUR' }, ...(note ? { note } : {}) },
  });
}

function cancel({ actor, orderId, reason }: InputOf<typeof cancelOrder>, state: OrderState): Decision {
  // Another customer's order is answered like one that does not exist, so that ids cannot be probed.
  if (state.phase === 'unknown' || !mayActFor(actor, state.customerId)) {
    return reject('ORDER_NOT_FOUND', `There is no order ${orderId}.`);
  }
  switch (state.phase) {
    case 'placed':
    case 'confirmed':
      return accept({ name: 'OrderCancelled', data: { orderId, reason } });
    case 'cancelled':
      return reject('ALREADY_CANCELLED', 'The order is cancelled already.');
    case 'rejected':
      return reject('ALREADY_REJECTED', 'The order was rejected: there is nothing to cancel.');
    case 'dispatched':
    case 'completed':
      return reject('TOO_LATE_TO_CANCEL', 'The order is on its way and can no longer be cancelled.');
  }
}

/** Returns the events that follow from a reaction: none unless the order is in the phase that expects it. */
export function react(reaction: Reaction, state: OrderState): readonly OrderEvent[] {
  if (state.phase === 'unknown') return [];
  const data = { orderId: state.orderId };
  switch (reaction.name) {
    case 'confirm':
      return state.phase === 'placed' ? [{ name: 'OrderConfirmed', data }] : [];
    case 'reject':
      return state.phase === 'placed'
        ? [{ name: 'OrderRejected', data: { ...data, reason: reaction.reason } }]
        : [];
    case 'dispatch':
      return state.phase === 'confirmed' ? [{ name: 'OrderDispatched', data }] : [];
    case 'complete':
      return state.phase === 'dispatched' ? [{ name: 'OrderCompleted', data }] : [];
  }
}

/** Customers act for themselves, operators and the platform itself for every customer. */
function mayActFor(actor: Actor, customerId: string): boolean {
  switch (actor.role) {
    case 'customer':
      return actor.id === customerId;
    case 'operator':
    case 'system':
      return true;
  }
}

function totalCents(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
}

function accept(event: OrderEvent): Decision {
  return { status: 'accepted', events: [event] };
}

function reject(code: string, message: string): Decision {
  return { status: 'rejected', reason: { code, message } };
}

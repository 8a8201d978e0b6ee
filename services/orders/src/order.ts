import type { DataOf, MessageDefinition } from '@tidegate/core';
import type { orderEvents, Rejection } from '@order-platform/contracts';

/** A fact of the aggregate: the name and the data of one of the catalogue's order events. */
export type OrderEvent = EventOf<(typeof orderEvents)[number]>;

type EventOf<Definition extends MessageDefinition> =
  Definition extends MessageDefinition<infer Name>
    ? { readonly name: Name; readonly data: DataOf<Definition> }
    : never;

export type OrderPhase = 'placed' | 'confirmed' | 'dispatched' | 'completed' | 'rejected' | 'cancelled';

export type OrderState =
  | { readonly phase: 'unknown' }
  | { readonly phase: OrderPhase; readonly orderId: string; readonly customerId: string };

export const unknownOrder: OrderState = { phase: 'unknown' };

/** What a decision says: the facts that follow, or why not. No facts means that nothing was left to do. */
export type Decision =
  | { readonly status: 'accepted'; readonly events: readonly OrderEvent[] }
  | { readonly status: 'rejected'; readonly reason: Rejection };

const phaseAfter: Record<OrderEvent['name'], OrderPhase> = {
  OrderPlaced: 'placed',
  OrderConfirmed: 'confirmed',
  OrderRejected: 'rejected',
  OrderCancelled: 'cancelled',
  OrderDispatched: 'dispatched',
  OrderCompleted: 'completed',
};

/** The pure step from one state to the next. */
export function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.name === 'OrderPlaced') {
    return { phase: 'placed', orderId: event.data.orderId, customerId: event.data.customerId };
  }
  // Events are only ever decided upon a placed order; a stream that begins otherwise has been tampered with.
  if (state.phase === 'unknown') throw new Error(`${event.name} in a stream without OrderPlaced`);
  return { ...state, phase: phaseAfter[event.name] };
}

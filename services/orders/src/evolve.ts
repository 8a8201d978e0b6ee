import type { DataOf, MessageDefinition } from '@tidegate/core';
import type { orderEvents } from '@order-platform/contracts';

/** An event of the aggregate: the name and the data of one of the catalogue's order events. */
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

const phaseAfter: Record<OrderEvent['name'], OrderPhase> = {
  OrderPlaced: 'placed',
  OrderConfirmed: 'confirmed',
  OrderRejected: 'rejected',
  OrderCancelled: 'cancelled',
  OrderDispatched: 'dispatched',
  OrderCompleted: 'completed',
};

/** Returns the state after the event. Pure. */
export function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.name === 'OrderPlaced') {
    return { phase: 'placed', orderId: event.data.orderId, customerId: event.data.customerId };
  }
  // `decide` and `react` return events for placed orders only: any other first event means a corrupted stream.
  if (state.phase === 'unknown') throw new Error(`${event.name} in a stream without OrderPlaced`);
  return { ...state, phase: phaseAfter[event.name] };
}

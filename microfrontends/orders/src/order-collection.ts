import type { Order } from './order.ts';

/** An order with the time at which this page saw it change. */
export interface TrackedOrder {
  readonly order: Order;
  /** Time of the last change that arrived live, in ms since the epoch; undefined when there was none. */
  readonly changedAtMs: number | undefined;
}

export type OrderCollection = ReadonlyMap<string, TrackedOrder>;

/** Merges an order from the query or the subscription. The higher version wins, so they may arrive in any order. */
export function mergeOrder(
  current: TrackedOrder | undefined,
  order: Order,
  changedAtMs?: number,
): TrackedOrder {
  if (current && current.order.version >= order.version) return current;
  return { order, changedAtMs: changedAtMs ?? current?.changedAtMs };
}

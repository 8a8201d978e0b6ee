import type { Order, OrderStatus } from './order.ts';

/** A status and the time at which this page saw the order reach it. */
export interface Step {
  readonly status: OrderStatus;
  readonly at: string;
}

/** An order with the steps that this page has seen. */
export interface TrackedOrder {
  readonly order: Order;
  readonly steps: readonly Step[];
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
  return { order, steps: nextSteps(current?.steps, order), changedAtMs: changedAtMs ?? current?.changedAtMs };
}

function nextSteps(
  steps: readonly Step[] | undefined,
  { status, placedAt, updatedAt }: Order,
): readonly Step[] {
  if (!steps) {
    const placed: Step = { status: 'PLACED', at: placedAt };
    return status === 'PLACED' ? [placed] : [placed, { status, at: updatedAt }];
  }
  return steps.at(-1)?.status === status ? steps : [...steps, { status, at: updatedAt }];
}

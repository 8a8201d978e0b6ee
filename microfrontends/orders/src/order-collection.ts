import { isFinished, type Order, type OrderStatus } from './order.ts';

/** A status and when it was reached, as far as this page knows. */
export interface Step {
  readonly status: OrderStatus;
  readonly at: string;
}

/** An order with what this page saw of its way. */
export interface TrackedOrder {
  readonly order: Order;
  readonly steps: readonly Step[];
  /** When this page last saw it change; undefined when it was there at the beginning. */
  readonly changedAtMs: number | undefined;
}

export type OrderCollection = ReadonlyMap<string, TrackedOrder>;

/** Takes in an order from whichever source: the highest version of each wins, so sources may come in any order. */
export function mergeOrder(
  current: TrackedOrder | undefined,
  order: Order,
  changedAtMs?: number,
): TrackedOrder {
  if (current && current.order.version >= order.version) return current;
  return { order, steps: nextSteps(current?.steps, order), changedAtMs: changedAtMs ?? current?.changedAtMs };
}

/** Keeps `maxOrders`: of finished orders those that rested longest go first, then of all. */
export function trimOrders(orders: OrderCollection, maxOrders: number): OrderCollection {
  if (orders.size <= maxOrders) return orders;
  const ranked = [...orders.values()].toSorted((one, other) => {
    const byState = Number(isFinished(one.order)) - Number(isFinished(other.order));
    return byState || other.order.updatedAt.localeCompare(one.order.updatedAt);
  });
  return new Map(ranked.slice(0, maxOrders).map((tracked) => [tracked.order.id, tracked]));
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

import type { TrackedOrder, OrderCollection } from './order-collection.ts';
import type { OrderStatus } from './order.ts';

/** Names of the board's lanes, and aliases of their pages in the board's query. */
export const lanes = [
  { id: 'placed', name: 'Placed', statuses: ['PLACED'] },
  { id: 'reserved', name: 'Reserved', statuses: ['RESERVED'] },
  { id: 'confirmed', name: 'Confirmed', statuses: ['CONFIRMED'] },
  { id: 'preparing', name: 'Preparing', statuses: ['PREPARING'] },
  { id: 'dispatched', name: 'Dispatched', statuses: ['DISPATCHED'] },
  { id: 'finished', name: 'Finished', statuses: ['DELIVERED', 'REJECTED', 'CANCELLED'] },
] as const satisfies readonly Lane[];

interface Lane {
  readonly id: string;
  readonly name: string;
  readonly statuses: readonly OrderStatus[];
}

export type LaneId = (typeof lanes)[number]['id'];

/** A number for each lane. */
export type PerLane = Readonly<Record<LaneId, number>>;

/** Ids of the orders of each lane, in the order of display. */
export type LaneLayout = Readonly<Record<LaneId, readonly string[]>>;

const laneOfStatus = new Map<OrderStatus, LaneId>(
  lanes.flatMap(({ id, statuses }) => statuses.map((status) => [status, id] as const)),
);

export function laneOf(status: OrderStatus): LaneId {
  return laneOfStatus.get(status) ?? 'finished';
}

export function perLane<Value>(valueOf: (lane: LaneId) => Value): Record<LaneId, Value> {
  return Object.fromEntries(lanes.map(({ id }) => [id, valueOf(id)])) as Record<LaneId, Value>;
}

/** Groups the orders by lane, the newest placement first: the order of the server's pages, which no change alters. */
export function layoutOf(orders: OrderCollection): LaneLayout {
  const newestFirst = [...orders.values()].toSorted(byPlacement);
  const groups = Map.groupBy(newestFirst, ({ order }) => laneOf(order.status));
  return perLane((lane) => (groups.get(lane) ?? []).map(({ order }) => order.id));
}

/** Counts the orders that are new or in another lane. One that newer orders have pushed off its page has not changed. */
export function countMoves(from: LaneLayout, to: LaneLayout): number {
  const before = lanesById(from);
  const after = lanesById(to);
  return [...after].filter(([id, lane]) => before.get(id) !== lane).length;
}

/** Keeps the newest orders of each lane, at most `limits` of them. */
export function keepNewest(orders: OrderCollection, limits: PerLane): OrderCollection {
  const layout = layoutOf(orders);
  if (lanes.every(({ id }) => layout[id].length <= limits[id])) return orders;
  const kept = lanes.flatMap(({ id }) => layout[id].slice(0, limits[id]));
  return new Map(kept.map((id) => [id, orders.get(id) as TrackedOrder]));
}

function byPlacement({ order: one }: TrackedOrder, { order: other }: TrackedOrder): number {
  return other.placedAt.localeCompare(one.placedAt) || other.id.localeCompare(one.id);
}

function lanesById(layout: LaneLayout): Map<string, LaneId> {
  return new Map(lanes.flatMap(({ id: lane }) => layout[lane].map((id) => [id, lane] as const)));
}

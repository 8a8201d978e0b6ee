import { expect, it } from 'vitest';
import { countMoves, keepNewest, layoutOf, perLane } from './lanes.ts';
import type { TrackedOrder } from './order-collection.ts';
import type { OrderStatus } from './order.ts';

function orders(...all: [id: string, status: OrderStatus, minute: number][]) {
  return new Map(
    all.map(([id, status, minute]) => {
      const order = { id, status, placedAt: `2026-11-23T06:${String(minute).padStart(2, '0')}:00.000Z` };
      return [id, { order } as TrackedOrder];
    }),
  );
}

it('a lane shows the newest placement first, whatever changed last', () => {
  const layout = layoutOf(orders(['a', 'PLACED', 1], ['b', 'PLACED', 3], ['c', 'REJECTED', 2]));
  expect(layout).toEqual({ ...perLane(() => []), placed: ['b', 'a'], finished: ['c'] });
});

it('an order counts as moved when it is in another lane or new, not when newer ones push it off the page', () => {
  const before = layoutOf(orders(['stays', 'PLACED', 1], ['moves', 'PLACED', 2], ['goes', 'PLACED', 3]));
  const after = layoutOf(orders(['stays', 'PLACED', 1], ['moves', 'RESERVED', 2], ['comes', 'PLACED', 4]));
  expect(countMoves(before, after)).toBe(2);
  expect(countMoves(after, after)).toBe(0);
});

it('a lane keeps its newest orders', () => {
  const all = orders(['old', 'PLACED', 1], ['new', 'PLACED', 2], ['other', 'RESERVED', 0]);
  expect([
    ...keepNewest(
      all,
      perLane(() => 1),
    ).keys(),
  ]).toEqual(['new', 'other']);
});

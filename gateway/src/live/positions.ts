/**
 * How far into each partition of one topic somebody has come: the next offset not yet seen.
 * A plain array indexed by partition; copied only where it must not move.
 */
export type Positions = readonly number[];

/** Raises one partition's position in a copy. */
export function advanced(positions: Positions, partition: number, nextOffset: number): Positions {
  const copy = positions.slice();
  if (nextOffset > (copy[partition] ?? 0)) copy[partition] = nextOffset;
  return copy;
}

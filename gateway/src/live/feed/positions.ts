/**
 * How far into each partition of one topic somebody has come: the next offset not yet seen.
 * A plain array indexed by partition; copied only where it must not move.
 */
export type Positions = readonly number[];

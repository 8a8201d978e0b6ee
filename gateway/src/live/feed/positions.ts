/**
 * Next unseen offset of each partition of one topic, indexed by partition.
 * Copied only where the value must not change later.
 */
export type Positions = readonly number[];

/** How a producer of another system appends: a codec, or a transaction. */
export type ForeignWay = 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'transaction' | 'aborted' | 'open';

export const foreignWays: readonly ForeignWay[] = [
  'gzip',
  'snappy',
  'lz4',
  'zstd',
  'transaction',
  'aborted',
  'open',
];

/** One of three brokers does not answer for some milliseconds, or is started anew after them. */
export interface BrokerTrouble {
  readonly broker: number;
  readonly way: 'freeze' | 'restart' | 'kill';
  readonly ms: number;
}

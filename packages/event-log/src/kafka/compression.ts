/** Codecs of a produced batch. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Compression = (typeof compressions)[number];

/** The codec's bits in the attributes of a batch (Kafka's message format 2). */
export const compressionAttribute: Readonly<Record<Compression, number>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
};

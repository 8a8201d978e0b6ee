/** Codecs of a produced batch. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Compression = (typeof compressions)[number];

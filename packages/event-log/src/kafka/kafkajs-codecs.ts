/** The calls of a codec that `@platformatic/kafka` has for the format of Kafka. */
export interface Codec {
  readonly compressSync: (data: Buffer) => Buffer;
  readonly decompressSync: (data: Buffer) => Buffer;
}

/** The part of kafkajs that knows codecs. */
interface CodecsOfKafkajs {
  readonly CompressionTypes: { readonly Snappy: number; readonly LZ4: number; readonly ZSTD: number };
  readonly CompressionCodecs: Record<number, () => KafkajsCodec>;
}

interface KafkajsCodec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (data: Buffer) => Promise<Buffer>;
}

/**
 * Adds snappy, lz4 and zstd to kafkajs, which has gzip only: groups and tails read the same batches with the same codecs,
 * whatever a producer compresses with. Idempotent.
 *
 * @param load Returns a module of kafkajs by its specifier. Node does not find `CompressionCodecs` for an import.
 */
export function addCodecsToKafkajs(
  load: (specifier: string) => unknown,
  codecs: { readonly snappy: Codec; readonly lz4: Codec; readonly zstd: Codec },
): void {
  const { CompressionCodecs, CompressionTypes } = load('kafkajs') as CodecsOfKafkajs;
  const { Snappy, LZ4, ZSTD } = CompressionTypes;
  for (const [type, { compressSync, decompressSync }] of [
    [Snappy, codecs.snappy],
    [LZ4, codecs.lz4],
    [ZSTD, codecs.zstd],
  ] as const) {
    const codec: KafkajsCodec = {
      compress: async ({ buffer }) => compressSync(buffer),
      decompress: async (buffer) => decompressSync(buffer),
    };
    CompressionCodecs[type] = () => codec;
  }
}

import { compressionAttribute } from './compression.ts';

/** The calls of a codec that `@platformatic/kafka` has for the format of Kafka. */
export interface Codec {
  readonly compressSync: (data: Buffer) => Buffer;
  readonly decompressSync: (data: Buffer) => Buffer;
}

/** The part of kafkajs that knows codecs. */
interface CodecsOfKafkajs {
  readonly CompressionCodecs: Record<number, () => KafkajsCodec>;
}

interface KafkajsCodec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (data: Buffer) => Promise<Buffer>;
}

/**
 * Adds snappy, lz4 and zstd to kafkajs, which has gzip only: groups and tails read the batches of any producer with the
 * same codecs. Idempotent.
 *
 * @param load Returns a module of kafkajs by its specifier. Node does not find `CompressionCodecs` for an import.
 */
export function addCodecsToKafkajs(
  load: (specifier: string) => unknown,
  codecs: { readonly snappy: Codec; readonly lz4: Codec; readonly zstd: Codec },
): void {
  const { CompressionCodecs } = load('kafkajs') as CodecsOfKafkajs;
  for (const name of ['snappy', 'lz4', 'zstd'] as const) {
    const { compressSync, decompressSync } = codecs[name];
    const codec: KafkajsCodec = {
      compress: async ({ buffer }) => compressSync(buffer),
      decompress: async (buffer) => decompressSync(buffer),
    };
    CompressionCodecs[compressionAttribute[name]] = () => codec;
  }
}

import { compressionsAlgorithms } from '@platformatic/kafka';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';

const added = {
  [CompressionTypes.Snappy]: compressionsAlgorithms.snappy,
  [CompressionTypes.LZ4]: compressionsAlgorithms.lz4,
  [CompressionTypes.ZSTD]: compressionsAlgorithms.zstd,
};

/**
 * Adds snappy, lz4 and zstd to kafkajs, which has gzip only: groups and tails then read the same batches with the same
 * codecs, whatever a producer compresses with. Idempotent.
 */
export function addCodecsToKafkajs(): void {
  for (const [type, { compressSync, decompressSync }] of Object.entries(added)) {
    const codec = {
      compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
      decompress: async (buffer: Buffer) => decompressSync(buffer),
    };
    (CompressionCodecs as Record<number, () => typeof codec>)[Number(type)] = () => codec;
  }
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Returns Kafka's key hash (org.apache.kafka.common.utils.Utils.murmur2) as a signed 32-bit integer. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  const tail = length & ~3;
  let h = SEED ^ length;
  for (let i = 0; i < tail; i += 4) h = Math.imul(h, M) ^ mixed(word(data, i));
  if (length > tail) {
    h = Math.imul(h ^ lastBytes(data, tail), M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/**
 * Returns the partition of a key. Kafka's Java client and kafkajs choose the same one, so the records of a key share a
 * partition whichever client appended them.
 */
export function partitionFor(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}

function word(data: Uint8Array, i: number): number {
  return (
    (data[i] as number) |
    ((data[i + 1] as number) << 8) |
    ((data[i + 2] as number) << 16) |
    ((data[i + 3] as number) << 24)
  );
}

function mixed(k: number): number {
  const m = Math.imul(k, M);
  return Math.imul(m ^ (m >>> 24), M);
}

function lastBytes(data: Uint8Array, from: number): number {
  let bytes = 0;
  for (let i = data.length - 1; i >= from; i--) bytes = (bytes << 8) | (data[i] as number);
  return bytes;
}

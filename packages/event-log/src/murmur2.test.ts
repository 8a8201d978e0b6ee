import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionFor } from './murmur2.ts';

// Test vectors of Kafka's UtilsTest.testMurmur2.
const golden: [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
];

describe('murmur2', () => {
  it.each(golden)('hashes %s as Kafka does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('chooses the partition that kafkajs chooses, for keys of every length and script', () => {
    const partition = Partitioners.DefaultPartitioner();
    const keys = Array.from({ length: 500 }, (_, i) => `${'k'.repeat(i % 9)}é${i * 7919}`);
    for (const partitions of [1, 3, 12]) {
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: 1,
        partitionErrorCode: 0,
        replicas: [1],
        isr: [1],
      }));
      for (const key of keys) {
        const expected = partition({ topic: 't', partitionMetadata, message: { key, value: null } });
        expect(partitionFor(key, partitions), key).toBe(expected);
      }
    }
  });
});

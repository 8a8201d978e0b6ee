import { TidegateError } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import { recordBytes } from '../record-bytes.ts';
import { AppendQueue } from './append-queue.ts';
import type { PartitionedRecord } from './write-client.ts';

/** A topic of one partition whose brokers refuse a batch above a size. */
class LimitedTopic {
  readonly keys: string[] = [];
  requests = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  readonly send = async (records: readonly PartitionedRecord[]): Promise<ReadonlyMap<number, number>> => {
    this.requests += 1;
    const bytes = records.reduce((sum, { record }) => sum + recordBytes(record), 0);
    if (bytes > this.#maxBytes) throw new TidegateError('PAYLOAD_TOO_LARGE', 'too large');
    const offset = this.keys.length;
    this.keys.push(...records.map(({ record }) => record.key));
    return new Map([[0, offset]]);
  };
}

const record = (key: string, bytes: number) => ({ key, value: Buffer.alloc(bytes), headers: {} });

describe('appends to one topic', () => {
  it('that are sent together fail alone when a record of one is too large', async () => {
    const topic = new LimitedTopic(1_000);
    const queue = new AppendQueue('trips', 1, topic.send);
    const calls = [
      queue.append([record('a', 300)]),
      queue.append([record('large', 5_000)]),
      queue.append([record('b', 300)]),
    ];
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { code: 'PAYLOAD_TOO_LARGE' } });
    expect(topic.keys).toEqual(['a', 'b']);
  });

  it('are sent in smaller batches, in their order, when the topic takes no larger ones', async () => {
    const topic = new LimitedTopic(1_000);
    const queue = new AppendQueue('trips', 1, topic.send);
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    const positions = await queue.append(keys.map((key) => record(key, 300)));
    expect(topic.keys).toEqual(keys);
    expect(positions.map(({ offset }) => offset)).toEqual(keys.map((_, index) => index));
  });

  it('use a new number of partitions from its first look on, and look once an interval', () => {
    const queue = new AppendQueue('trips', 1, async () => new Map());
    expect(queue.isPartitionCountOld(60_000)).toBe(false);
    expect([queue.isPartitionCountOld(0), queue.isPartitionCountOld(60_000)]).toEqual([true, false]);
  });
});

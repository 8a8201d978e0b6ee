import { describe, expect, it } from 'vitest';
import { toGroupBatch, type BatchPayload } from './group-batch.ts';

const last = { offset: '41', key: null, value: null, timestamp: '0' };

function recordingPayload(overrides: Partial<BatchPayload> = {}): {
  calls: unknown[][];
  payload: BatchPayload;
} {
  const calls: unknown[][] = [];
  const payload: BatchPayload = {
    batch: { topic: 'topic', partition: 3, messages: [last] },
    isRunning: () => true,
    isStale: () => false,
    resolveOffset: (offset) => void calls.push(['resolve', offset]),
    commitOffsetsIfNecessary: async (offsets) => void calls.push(['commit', offsets]),
    heartbeat: async () => void calls.push(['heartbeat']),
    ...overrides,
  };
  return { calls, payload };
}

describe('a group batch', () => {
  it('commits the next offset, resolves the last one and sends a heartbeat', async () => {
    const { calls, payload } = recordingPayload();
    await toGroupBatch(payload).acknowledge(last);
    expect(calls).toEqual([
      ['commit', { topics: [{ topic: 'topic', partitions: [{ partition: 3, offset: '42' }] }] }],
      ['resolve', '41'],
      ['heartbeat'],
    ]);
  });

  it('resolves no offset when the commit fails, so that kafkajs fetches the batch again', async () => {
    const { calls, payload } = recordingPayload({
      commitOffsetsIfNecessary: () => Promise.reject(new Error('not the coordinator')),
    });
    await expect(toGroupBatch(payload).acknowledge(last)).rejects.toThrow('not the coordinator');
    expect(calls).toEqual([]);
  });

  it('is not current once the member has stopped or the partition was sought', () => {
    const current = (overrides: Partial<BatchPayload>): boolean =>
      toGroupBatch(recordingPayload(overrides).payload).isCurrent();
    expect(current({})).toBe(true);
    expect(current({ isRunning: () => false })).toBe(false);
    expect(current({ isStale: () => true })).toBe(false);
  });
});

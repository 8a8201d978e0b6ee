import { deferred } from '@tidegate/testing';
import { expect, it } from 'vitest';
import type { GroupBatch, GroupClient } from './group-client.ts';
import { PartitionConsumer } from './partition-consumer.ts';

const message = (offset: number) => ({
  offset: String(offset),
  key: Buffer.from('a'),
  value: Buffer.from('{}'),
  headers: {},
  timestamp: '0',
});

it('a batch fetched while the one before is acknowledged waits: one handler a partition', async () => {
  const steps: string[] = [];
  const client = {
    pause: () => steps.push('pause'),
    resume: () => steps.push('resume'),
    seek: () => undefined,
    commit: async () => undefined,
  } as unknown as GroupClient;
  const consumer = new PartitionConsumer(client, 'topic', 0, {
    options: {
      group: 'test',
      topics: ['topic'],
      handler: async ({ records }) => void steps.push(`handled ${records[0]!.offset}`),
    },
    signal: new AbortController().signal,
    onError: (error) => steps.push(String(error)),
  });
  const committing = deferred();
  const committed = deferred();
  const batch = (offset: number, acknowledge: () => Promise<void>): GroupBatch => ({
    topic: 'topic',
    partition: 0,
    messages: [message(offset)],
    isCurrent: () => true,
    acknowledge,
  });

  const first = consumer.handle(
    batch(1, async () => {
      committing.resolve();
      await committed.promise;
    }),
  );
  await committing.promise;
  await consumer.handle(batch(1, async () => undefined));
  expect(steps).toEqual(['handled 1', 'pause']);

  committed.resolve();
  await first;
  expect(steps).toEqual(['handled 1', 'pause', 'resume']);
  await consumer.handle(batch(2, async () => undefined));
  expect(steps.at(-1)).toBe('handled 2');
});

import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { LogRecord, Position, Tail, TailOptions } from '../event-log.ts';
import { TidegateError } from '@tidegate/core';
import { toError } from '../handle-until-resolved.ts';
import { positionOutOfRange, topicRecreated } from '../topic-errors.ts';
import type { Fetched, FetchClient, TopicMetadata } from './fetch-client.ts';
import { orAborted, settledWithin } from './or-aborted.ts';

interface Followed {
  readonly topic: string;
  readonly partition: number;
  offset: number;
  /** Set while `onRecords` has not resolved: the partition is left out of fetches. */
  handling: Promise<void> | undefined;
}

const MAX_WAIT_MS = 250;
/** How long a fetch waits for handlers of the last one; a slower partition is left out instead. */
const HANDLING_GRACE_MS = 20;
const LEADERLESS_RETRY_MS = 500;
const backoff = { firstMs: 50, maxMs: 2_000 };

/**
 * Follows partitions without a group: one fetch loop for each broker that leads some. Whatever goes wrong ends the
 * round; the next one starts with a fresh client and fresh metadata from the same offsets, so a moved leader, a
 * restarted broker and a connection that hangs are one case.
 */
export function startKafkaTail(
  createClient: () => FetchClient,
  topicIds: ReadonlyMap<string, string>,
  startedAt: readonly Position[],
  { onRecords, onTrouble, onEnd }: TailOptions,
): Tail {
  const stopping = new AbortController();
  const { signal } = stopping;
  const followed: Followed[] = startedAt.map((position) => ({ ...position, handling: undefined }));
  let attempt = 0;

  function fail(error: unknown): void {
    if (signal.aborted) return;
    stopping.abort();
    onEnd?.(toError(error));
  }

  function deliver(partition: Followed, { records, nextOffset }: Fetched): void {
    partition.offset = nextOffset;
    if (records.length === 0 || signal.aborted) return;
    const handling = handle(records).then(
      () => void (partition.handling = undefined),
      (error: unknown) => {
        partition.handling = undefined;
        fail(error);
      },
    );
    partition.handling = handling;
  }

  async function handle(records: readonly LogRecord[]): Promise<void> {
    await onRecords(records);
  }

  async function followBroker(
    client: FetchClient,
    brokerId: number,
    topics: ReadonlyMap<string, TopicMetadata>,
    mine: readonly Followed[],
    round: AbortSignal,
  ): Promise<void> {
    while (!round.aborted) {
      const free = mine.filter((one) => !one.handling);
      if (free.length === 0) {
        await orAborted(Promise.race(handlings(mine)), round);
        continue;
      }
      const asked = free.map(({ topic, partition, offset }) => ({
        topic: topics.get(topic) as TopicMetadata,
        partition,
        offset,
      }));
      const fetched = await orAborted(client.fetch(brokerId, asked, MAX_WAIT_MS), round);
      if (!fetched) return;
      attempt = 0;
      for (const one of fetched) {
        const partition = free.find((f) => f.topic === one.topic && f.partition === one.partition);
        if (partition) deliver(partition, one);
      }
      await settledWithin(Promise.all(handlings(free)), HANDLING_GRACE_MS);
    }
  }

  /** One plan: who leads what, followed until something changes. */
  async function runRound(client: FetchClient): Promise<void> {
    const topics = await loadTopics(client, topicIds);
    const byLeader = Map.groupBy(
      followed,
      ({ topic, partition }) => topics.get(topic)?.partitions[partition]?.leader ?? -1,
    );
    const over = new AbortController();
    const round = AbortSignal.any([signal, over.signal]);
    const leaderless = byLeader.delete(-1);
    const tasks = [...byLeader].map(([brokerId, mine]) =>
      followBroker(client, brokerId, topics, mine, round),
    );
    if (leaderless) tasks.push(delay(LEADERLESS_RETRY_MS, round));
    const results = await Promise.allSettled(tasks.map((task) => task.finally(() => over.abort())));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const client = createClient();
      try {
        await runRound(client);
      } catch (error) {
        if (signal.aborted) break;
        if (isFinal(error)) return fail(error);
        onTrouble?.(toError(error));
        if (client.isOutOfRange(error)) await failWhenLost(client);
        await delay(backoffMs(++attempt, backoff), signal).catch(() => undefined);
      } finally {
        await client.close();
      }
    }
    await Promise.all(handlings(followed));
  }

  /** A new leader may be behind for a moment; only what it says about its own ends is final. */
  async function failWhenLost(client: FetchClient): Promise<void> {
    try {
      for (const name of topicIds.keys()) {
        const [starts, ends] = [await client.offsets(name, 'start'), await client.offsets(name, 'end')];
        for (const one of followed.filter(({ topic }) => topic === name)) {
          const range = { start: starts[one.partition] ?? 0, end: ends[one.partition] ?? 0 };
          if (one.offset < range.start || one.offset > range.end) fail(positionOutOfRange(one, range));
        }
      }
    } catch (error) {
      onTrouble?.(toError(error));
    }
  }

  const done = run().catch(fail);
  return {
    startedAt,
    stop() {
      stopping.abort();
      return done;
    },
  };
}

async function loadTopics(
  client: FetchClient,
  topicIds: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, TopicMetadata>> {
  const topics = new Map<string, TopicMetadata>();
  for (const [name, id] of topicIds) {
    const topic = await client.topic(name);
    // The same offsets of another incarnation are other records.
    if (topic.id !== id) throw topicRecreated(name);
    topics.set(name, topic);
  }
  return topics;
}

function isFinal(error: unknown): boolean {
  return error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE';
}

function handlings(partitions: readonly Followed[]): Promise<void>[] {
  return partitions.flatMap(({ handling }) => (handling ? [handling] : []));
}

import { createHash } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import type { Consumption, EventLog, Position, Tail, TailStart, TopicSpec } from '../event-log.ts';
import type { GroupConsumer } from '../kafka.ts';
import { assertRecordSizes } from '../record-bytes.ts';
import { logClosed, partitionsConflict, positionOutOfRange } from '../topic-errors.ts';
import { assertTopicSpec } from '../topic-spec.ts';
import { createAppendQueue, type AppendQueue, type PartitionedRecord } from './append-queue.ts';
import { startKafkaConsumption } from './consumption.ts';
import type { FetchClient, TopicMetadata } from './fetch-client.ts';
import { createLookUps } from './look-ups.ts';
import { readRange } from './read.ts';
import { startKafkaTail } from './tail.ts';
import { withDeadline } from './with-deadline.ts';

/** What the log needs of kafkajs; `kafka.ts` makes it. */
export interface KafkaWriting {
  send(topic: string, records: readonly PartitionedRecord[]): Promise<ReadonlyMap<number, number>>;
  /** Creates those that do not exist. */
  createTopics(specs: readonly TopicSpec[], replicationFactor: number): Promise<void>;
  acknowledged(group: string, topic: string): Promise<ReadonlyMap<number, number>>;
  createConsumer(group: string): GroupConsumer;
  close(): Promise<void>;
}

export interface KafkaLogOptions {
  readonly replicationFactor: number | undefined;
  readonly epochTopics: readonly string[];
  readonly maxRecordBytes: number;
}

/** The event log over Kafka: kafkajs writes and consumes in groups, the fetch client looks up and tails. */
export function createEventLogOnKafka(
  writing: KafkaWriting,
  createClient: () => FetchClient,
  options: KafkaLogOptions,
): EventLog {
  const lookUps = createLookUps(createClient);
  const queues = new Map<string, { queue: AppendQueue; partitions: number }>();
  const running = new Set<Consumption | Tail>();
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (closing) throw logClosed();
  }

  function topic(name: string): Promise<TopicMetadata> {
    assertOpen();
    return lookUps.ask((client) => client.topic(name));
  }

  async function offsets(name: string, at: 'start' | 'end' | { timeMs: number }): Promise<number[]> {
    await topic(name);
    return lookUps.ask((client) => client.offsets(name, at));
  }

  function owned<T extends Consumption | Tail>(started: T): T {
    running.add(started);
    const stop = (): Promise<void> => started.stop().finally(() => running.delete(started));
    return { ...started, stop };
  }

  async function queueFor(name: string): Promise<{ queue: AppendQueue; partitions: number }> {
    const known = queues.get(name);
    if (known) return known;
    const partitions = (await topic(name)).partitions.length;
    // Two first appends wait for the same answer; both must use the same queue.
    const created = queues.get(name) ?? {
      partitions,
      queue: createAppendQueue(name, (records) => writing.send(name, records)),
    };
    queues.set(name, created);
    return created;
  }

  async function ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    assertOpen();
    for (const spec of specs) assertTopicSpec(spec);
    const missing: TopicSpec[] = [];
    for (const spec of specs) {
      const found = await lookUps.once((client) => client.topic(spec.name)).catch(unlessNotFound);
      if (!found) missing.push(spec);
      else assertPartitions(spec, found);
    }
    if (missing.length === 0) return;
    const brokers = await lookUps.ask((client) => client.brokerCount());
    await writing.createTopics(missing, options.replicationFactor ?? Math.min(3, brokers));
    for (const spec of missing) assertPartitions(spec, await untilServed(spec.name));
  }

  /** A created topic is not known to every broker at once, nor led: whoever asks too early hears that there is none. */
  function untilServed(name: string): ReturnType<typeof topic> {
    return retry(
      async () => {
        const found = await topic(name);
        await offsets(name, 'end');
        return found;
      },
      {
        attempts: 60,
        firstMs: 50,
        maxMs: 500,
        retryable: (error) =>
          error instanceof TidegateError && (error.code === 'NOT_FOUND' || error.retryable),
      },
    );
  }

  async function startPositions(name: string, from: TailStart): Promise<Position[]> {
    // The end first: what is appended from here on is delivered whatever the start turns out to be.
    const ends = await offsets(name, 'end');
    const starts = await offsets(name, 'start');
    const times = typeof from === 'object' && 'timeMs' in from ? await offsets(name, from) : [];
    return ends.map((end, partition) => {
      const start = starts[partition] ?? 0;
      const at = (offset: number): Position => ({ topic: name, partition, offset });
      if (from === 'start') return at(start);
      if (from === 'end') return at(end);
      if ('timeMs' in from) return at(atTime(times[partition], end));
      const asked = from.positions.find((one) => one.topic === name && one.partition === partition);
      if (!asked) return at(end);
      if (asked.offset < start || asked.offset > end) throw positionOutOfRange(asked, { start, end });
      return at(asked.offset);
    });
  }

  async function close(): Promise<void> {
    await Promise.all([...running].map((one) => one.stop()));
    await Promise.all([...queues.values()].map(({ queue }) => queue.drained()));
    await Promise.all([writing.close(), lookUps.close()]);
  }

  return {
    ensureTopics,
    async epoch() {
      assertOpen();
      const cluster = await lookUps.ask((client) => client.clusterId());
      const ids: string[] = [];
      for (const name of options.epochTopics) ids.push((await topic(name)).id);
      if (ids.length === 0) return cluster;
      return `${cluster}.${createHash('sha256').update(ids.sort().join()).digest('base64url').slice(0, 16)}`;
    },
    async append(name, records) {
      assertOpen();
      assertRecordSizes(name, records, options.maxRecordBytes);
      const known = queues.get(name) ?? (await queueFor(name));
      return records.length === 0 ? [] : known.queue.append(records, known.partitions);
    },
    async consume(consumeOptions) {
      const endsAtStart = new Map<string, readonly number[]>();
      for (const name of consumeOptions.topics) endsAtStart.set(name, await offsets(name, 'end'));
      assertOpen();
      const { group } = consumeOptions;
      const dependencies = {
        endsAtStart,
        createConsumer: () => writing.createConsumer(group),
        acknowledged: (name: string) => writing.acknowledged(group, name),
      };
      return owned(startKafkaConsumption(dependencies, consumeOptions));
    },
    async tail(tailOptions) {
      const ids = new Map<string, string>();
      for (const name of tailOptions.topics) ids.set(name, (await topic(name)).id);
      const startedAt: Position[] = [];
      for (const name of ids.keys()) startedAt.push(...(await startPositions(name, tailOptions.from)));
      assertOpen();
      return owned(startKafkaTail(createClient, ids, startedAt, tailOptions));
    },
    async read(readOptions) {
      assertOpen();
      return lookUps.fetch((client) => readRange(client, readOptions));
    },
    async ends(name) {
      const [starts, ends] = [await offsets(name, 'start'), await offsets(name, 'end')];
      return ends.map((end, partition) => ({ partition, start: starts[partition] ?? 0, end }));
    },
    async offsetsAt(name, timeMs) {
      const [ends, times] = [await offsets(name, 'end'), await offsets(name, { timeMs })];
      return ends.map((end, partition) => ({ partition, offset: atTime(times[partition], end) }));
    },
    async lag(group, name) {
      const acknowledged = await topic(name).then(() => writing.acknowledged(group, name));
      const [starts, ends] = [await offsets(name, 'start'), await offsets(name, 'end')];
      return ends.map((end, partition) => {
        const from = Math.max(acknowledged.get(partition) ?? 0, starts[partition] ?? 0);
        return { partition, lag: Math.max(0, end - from) };
      });
    },
    async ping(timeoutMs) {
      assertOpen();
      await withDeadline(
        lookUps.once((client) => client.clusterId()),
        timeoutMs,
        'ping',
      );
    },
    close: () => (closing ??= close()),
  };
}

/** Kafka says -1 when no record is that young. */
function atTime(offset: number | undefined, end: number): number {
  return offset === undefined || offset < 0 ? end : offset;
}

function assertPartitions(spec: TopicSpec, found: TopicMetadata): void {
  if (found.partitions.length !== spec.partitions) throw partitionsConflict(spec, found.partitions.length);
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof TidegateError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}

import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { ConsumeOptions, Consumption } from '../event-log.ts';
import { toError } from '../handle-until-resolved.ts';
import type { GroupConsumer, GroupBatch } from '../kafka.ts';
import { settledWithin } from './or-aborted.ts';
import { createPartitionOwners } from './partition-owners.ts';
import { watchMember } from './watch-member.ts';

export interface ConsumptionDependencies {
  createConsumer(): GroupConsumer;
  /** The group's acknowledged offsets by partition; -1 where it has none. */
  acknowledged(topic: string): Promise<ReadonlyMap<number, number>>;
  /** By topic and partition, the ends before the group was joined: where a new group starts at its 'end'. */
  readonly endsAtStart: ReadonlyMap<string, readonly number[]>;
}

const backoff = { firstMs: 200, maxMs: 5_000 };
const PARTITIONS_AT_A_TIME = 64;
/** Longer than any join or rebalance may take. */
const SILENCE_MS = 60_000;
const DISCONNECT_MS = 5_000;

/**
 * Runs one member of a consumer group and replaces it when it crashes. kafkajs would restart it after some errors and
 * not after others (its issue 1011).
 */
export function startKafkaConsumption(
  dependencies: ConsumptionDependencies,
  options: ConsumeOptions,
): Consumption {
  const stopping = new AbortController();
  const { signal } = stopping;
  const onError = (error: unknown): void => options.onError?.(toError(error));

  /** Resolves when the member is stopped; rejects when it has crashed. */
  async function runMember(): Promise<void> {
    const consumer = dependencies.createConsumer();
    const owners = createPartitionOwners(consumer, options, signal, onError);
    const { promise: crashed, reject: crash } = Promise.withResolvers<never>();
    crashed.catch(() => undefined);
    let settled: Promise<void> = Promise.resolve();
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      owners.loseAll();
      crash(payload.error);
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      owners.joined(payload.memberId, payload.memberAssignment);
      settled = settleStart(consumer, payload.memberAssignment);
    });
    const watch = watchMember(consumer, SILENCE_MS, (error) => {
      owners.loseAll();
      crash(error);
    });
    const onAbort = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => onAbort.resolve(), { once: true });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
        eachBatch: async (batch: GroupBatch) => {
          await settled;
          await owners.handle(batch);
        },
      });
      await Promise.race([crashed, onAbort.promise]);
    } finally {
      watch.stop();
      await owners.idle();
      // A member that hangs may never say goodbye; the group's session timeout does it then.
      await settledWithin(consumer.disconnect(), DISCONNECT_MS);
    }
  }

  /** A new group's "end" is written down at once: it must be the same end after a restart. */
  async function settleStart(
    consumer: GroupConsumer,
    assignment: Readonly<Record<string, readonly number[]>>,
  ): Promise<void> {
    if (options.from !== 'end') return;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await writeEnds(consumer, assignment);
      } catch (error) {
        onError(error);
        await delay(backoffMs(attempt, backoff), signal).catch(() => undefined);
      }
    }
  }

  async function writeEnds(
    consumer: GroupConsumer,
    assignment: Readonly<Record<string, readonly number[]>>,
  ): Promise<void> {
    for (const [topic, partitions] of Object.entries(assignment)) {
      const acknowledged = await dependencies.acknowledged(topic);
      for (const partition of partitions) {
        if ((acknowledged.get(partition) ?? -1) >= 0) continue;
        const offset = String(dependencies.endsAtStart.get(topic)?.[partition] ?? 0);
        await consumer.commitOffsets([{ topic, partition, offset }]);
        consumer.seek({ topic, partition, offset });
      }
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const startedMs = Date.now();
      try {
        await runMember();
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        if (Date.now() - startedMs > 60_000) attempt = 1;
        await delay(backoffMs(attempt, backoff), signal).catch(() => undefined);
      }
    }
  }

  const done = run();
  return {
    stop() {
      stopping.abort();
      return done;
    },
  };
}

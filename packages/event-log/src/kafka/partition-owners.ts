import type { ConsumeOptions, LogRecord } from '../event-log.ts';
import { handleUntilResolved } from '../handle-until-resolved.ts';
import type { GroupBatch, GroupConsumer, GroupMessage } from '../kafka.ts';
import { settledWithin } from './or-aborted.ts';

/** What this member does for the partitions it owns. */
export interface PartitionOwners {
  handle(batch: GroupBatch): Promise<void>;
  joined(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void;
  loseAll(): void;
  /** Resolves when no handler is running. */
  idle(): Promise<void>;
}

interface Owner {
  readonly lost: AbortController;
  /** One handler at a time, whatever kafkajs fetches meanwhile. */
  handling: boolean;
  paused: boolean;
}

const DEFAULT_BATCH_RECORDS = 200;
/**
 * kafkajs fetches nothing from a broker while one of its partitions is being handled. A handler may keep the others
 * waiting for so long; then its partition is paused and it goes on by itself.
 */
const ATTACHED_MS = 100;

export function createPartitionOwners(
  consumer: GroupConsumer,
  options: ConsumeOptions,
  stopping: AbortSignal,
  onError: (error: unknown) => void,
): PartitionOwners {
  const owners = new Map<string, Owner>();
  const running = new Set<Promise<unknown>>();
  let member: string | undefined;

  function owner(topic: string, partition: number): Owner {
    const name = `${topic}/${partition}`;
    const found = owners.get(name);
    if (found && (found.handling || !found.lost.signal.aborted)) return found;
    const created: Owner = { lost: new AbortController(), handling: false, paused: false };
    owners.set(name, created);
    return created;
  }

  async function handle(payload: GroupBatch): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const mine = owner(topic, partition);
    // A fetch that was on its way when the partition was paused, or came back to this member with it.
    if (mine.handling) return pause(topic, partition, mine);
    const size = options.maxBatchRecords ?? DEFAULT_BATCH_RECORDS;
    for (let from = 0; from < messages.length; from += size) {
      if (stopping.aborted || !payload.isRunning() || payload.isStale()) return;
      const chunk = messages.slice(from, from + size);
      const last = chunk.at(-1) as GroupMessage;
      mine.handling = true;
      const work = startHandling(topic, partition, chunk, mine);
      if (!(await settledWithin(work, ATTACHED_MS))) return detach(topic, partition, last, mine, work);
      done(topic, partition, mine);
      if (!(await work)) return;
      // Also moves over what compaction or a transaction left behind the last record.
      payload.resolveOffset(last.offset);
      await payload.commitOffsetsIfNecessary(offsetsAfter(topic, partition, last));
      await payload.heartbeat();
    }
  }

  function startHandling(
    topic: string,
    partition: number,
    chunk: readonly GroupMessage[],
    mine: Owner,
  ): Promise<boolean> {
    const batch = {
      topic,
      partition,
      records: chunk.map((message) => toRecord(topic, partition, message)),
      signal: AbortSignal.any([stopping, mine.lost.signal]),
    };
    return tracked(handleUntilResolved(batch, options.handler, onError));
  }

  function detach(
    topic: string,
    partition: number,
    last: GroupMessage,
    mine: Owner,
    work: Promise<boolean>,
  ): void {
    pause(topic, partition, mine);
    void tracked(
      work
        .then((handled) => (handled ? acknowledge(topic, partition, last, mine) : undefined))
        .catch(onError)
        .finally(() => done(topic, partition, mine)),
    );
  }

  /** Not when the partition was lost meanwhile: its new owner may be further, and must not be set back. */
  async function acknowledge(
    topic: string,
    partition: number,
    last: GroupMessage,
    mine: Owner,
  ): Promise<void> {
    if (mine.lost.signal.aborted) return;
    const offset = nextOffset(last);
    await consumer.commitOffsets([{ topic, partition, offset }]);
    if (!mine.lost.signal.aborted) consumer.seek({ topic, partition, offset });
  }

  function pause(topic: string, partition: number, mine: Owner): void {
    mine.paused = true;
    consumer.pause([{ topic, partitions: [partition] }]);
  }

  function done(topic: string, partition: number, mine: Owner): void {
    mine.handling = false;
    if (mine.paused) consumer.resume([{ topic, partitions: [partition] }]);
    mine.paused = false;
  }

  function tracked<T>(promise: Promise<T>): Promise<T> {
    running.add(promise);
    const forget = (): void => void running.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  function loseAll(): void {
    for (const one of owners.values()) one.lost.abort();
  }

  return {
    handle,
    loseAll,
    joined(memberId, assignment) {
      // Another id: the group had given this member up and the partitions to others in between.
      if (member !== undefined && member !== memberId) loseAll();
      member = memberId;
      for (const [name, one] of owners) {
        const at = name.lastIndexOf('/');
        const kept = assignment[name.slice(0, at)]?.includes(Number(name.slice(at + 1)));
        if (!kept) one.lost.abort();
      }
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

function nextOffset({ offset }: GroupMessage): string {
  return String(BigInt(offset) + 1n);
}

function offsetsAfter(topic: string, partition: number, last: GroupMessage) {
  return { topics: [{ topic, partitions: [{ partition, offset: nextOffset(last) }] }] };
}

function toRecord(topic: string, partition: number, message: GroupMessage): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
    name,
    (Array.isArray(value) ? value[0] : value)?.toString() ?? '',
  ]);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value,
    headers: Object.fromEntries(headers) as Record<string, string>,
    timestampMs: Number(message.timestamp),
  };
}

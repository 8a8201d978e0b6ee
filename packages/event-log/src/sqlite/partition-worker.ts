import { setImmediate as nextTurn } from 'node:timers/promises';
import { delay } from '@tidegate/runtime/resilience';
import type { ConsumeOptions } from '../event-log.ts';
import { handleUntilResolved, toError } from '../handle-batch.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import type { GroupStore } from './group-store.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredTopic } from './topic-store.ts';
import type { WakeUps } from './wake-ups.ts';

export interface PartitionWorker {
  /** Takes nothing new; resolves when the running handler is done and acknowledged. Never rejects. */
  stop(): Promise<void>;
}

export interface WorkerDependencies {
  readonly records: RecordStore;
  readonly groups: GroupStore;
  readonly wakeUps: WakeUps;
}

const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const DEFAULT_BATCH_RECORDS = 200;
const RETRY_FILE_MS = 250;

/** One partition's loop: read, handle until resolved, acknowledge. */
export function startPartitionWorker(
  { records, groups, wakeUps }: WorkerDependencies,
  topic: StoredTopic,
  partition: number,
  member: string,
  options: ConsumeOptions,
): PartitionWorker {
  const abort = new AbortController();
  const { signal } = abort;
  const { group, handler } = options;
  const onError = (error: Error): void => options.onError?.(error);
  const limits = {
    maxRecords: options.maxBatchRecords ?? DEFAULT_BATCH_RECORDS,
    maxBytes: MAX_BATCH_BYTES,
  };

  /** Writes a new group's starting point at once: "from the end" must mean the same end after a restart. */
  function startOffset(): number {
    const known = groups.checkpoint(group, topic, partition);
    if (known !== undefined) return known;
    const { ends } = records.read(topic, partition, 0, { maxRecords: 1, maxBytes: 1 });
    const offset = options.from === 'end' ? ends.end : ends.start;
    acknowledge(offset);
    return offset;
  }

  /** The lease fences: when another member owns the partition by now, this worker must not move the checkpoint. */
  function acknowledge(nextOffset: number): void {
    if (!groups.acknowledge(group, topic, partition, member, nextOffset)) abort.abort();
  }

  async function step(offset: number): Promise<number> {
    const slice = records.read(topic, partition, offset, limits);
    if (slice.ends.start > offset) {
      onError(positionOutOfRange({ topic: topic.name, partition, offset }, slice.ends));
      return slice.ends.start;
    }
    if (slice.records.length > 0) {
      const batch = { topic: topic.name, partition, records: slice.records, signal };
      if (!(await handleUntilResolved(batch, handler, onError))) return offset;
    }
    if (slice.nextOffset > offset) acknowledge(slice.nextOffset);
    else await wakeUps.wait(topic, partition, offset, signal);
    // A backlog is worked off a batch a turn, so that timers and sockets get theirs in between.
    if (slice.more) await nextTurn();
    return slice.nextOffset;
  }

  async function run(): Promise<void> {
    let offset: number | undefined;
    while (!signal.aborted) {
      try {
        offset ??= startOffset();
        offset = await step(offset);
      } catch (error) {
        onError(toError(error));
        offset = undefined;
        await delay(RETRY_FILE_MS, signal).catch(() => undefined);
      }
    }
  }

  const done = run();
  return {
    stop() {
      abort.abort();
      return done;
    },
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { delay } from '@tidegate/runtime/resilience';
import type { ConsumeOptions } from '../event-log.ts';
import { handleUntilResolved, toError } from '../handle-until-resolved.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import type { GroupStore } from './group-store.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredTopic } from './topic-store.ts';
import type { WakeUps } from './wake-ups.ts';

export interface PartitionConsumerDependencies {
  readonly records: RecordStore;
  readonly groups: GroupStore;
  readonly wakeUps: WakeUps;
}

export interface LeasedPartition {
  readonly topic: StoredTopic;
  readonly partition: number;
  /** Id of the member that holds the lease. */
  readonly member: string;
}

const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const DEFAULT_BATCH_RECORDS = 200;
const RETRY_FILE_MS = 250;

/** The loop of one partition in one member: reads a batch, handles it until it is resolved, acknowledges it. */
export class PartitionConsumer {
  readonly #dependencies: PartitionConsumerDependencies;
  readonly #leased: LeasedPartition;
  readonly #options: ConsumeOptions;
  readonly #limits: { readonly maxRecords: number; readonly maxBytes: number };
  readonly #abort = new AbortController();
  readonly #onError = (error: Error): void => this.#options.onError?.(error);
  #done = Promise.resolve();

  constructor(dependencies: PartitionConsumerDependencies, leased: LeasedPartition, options: ConsumeOptions) {
    this.#dependencies = dependencies;
    this.#leased = leased;
    this.#options = options;
    this.#limits = {
      maxRecords: options.maxBatchRecords ?? DEFAULT_BATCH_RECORDS,
      maxBytes: MAX_BATCH_BYTES,
    };
  }

  start(): this {
    this.#done = this.#run();
    return this;
  }

  /** True when the member has lost the lease, or `stop` was called: no further batch is handled. */
  get ended(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Takes no further batch; resolves when the running handler is done and acknowledged. Never rejects. */
  stop(): Promise<void> {
    this.#abort.abort();
    return this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let offset: number | undefined;
    while (!signal.aborted) {
      try {
        offset ??= this.#startOffset();
        offset = await this.#step(offset);
      } catch (error) {
        this.#onError(toError(error));
        offset = undefined;
        await delay(RETRY_FILE_MS, signal).catch(() => undefined);
      }
    }
  }

  /** Writes a new group's start down at once: its "end" must be the same end after a restart. */
  #startOffset(): number {
    const { groups, records } = this.#dependencies;
    const { topic, partition } = this.#leased;
    const known = groups.checkpoint(this.#options.group, topic, partition);
    if (known !== undefined) return known;
    const { ends } = records.read(topic, partition, 0, { maxRecords: 1, maxBytes: 1 });
    const offset = this.#options.from === 'end' ? ends.end : ends.start;
    this.#acknowledge(offset);
    return offset;
  }

  /** Reads and handles one batch, or waits for one. Returns the offset to go on from. */
  async #step(offset: number): Promise<number> {
    const { records, wakeUps } = this.#dependencies;
    const { topic, partition } = this.#leased;
    const slice = records.read(topic, partition, offset, this.#limits);
    if (slice.ends.start > offset) {
      this.#onError(positionOutOfRange({ topic: topic.name, partition, offset }, slice.ends));
      return slice.ends.start;
    }
    if (slice.records.length > 0) {
      const batch = { topic: topic.name, partition, records: slice.records, signal: this.#abort.signal };
      if (!(await handleUntilResolved(batch, this.#options.handler, this.#onError))) return offset;
    }
    if (slice.nextOffset > offset) this.#acknowledge(slice.nextOffset);
    else await wakeUps.wait(topic, partition, offset, this.#abort.signal);
    // One batch a turn of the event loop, so that a backlog does not starve timers and sockets.
    if (slice.more) await nextTurn();
    return slice.nextOffset;
  }

  /** The lease is the fence: without it another member owns the partition, and its checkpoint must not move. */
  #acknowledge(nextOffset: number): void {
    const { topic, partition, member } = this.#leased;
    const { groups } = this.#dependencies;
    if (!groups.acknowledge(this.#options.group, topic, partition, member, nextOffset)) this.#abort.abort();
  }
}

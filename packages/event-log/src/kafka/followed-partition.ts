import type { LogRecord, Position } from '../event-log.ts';
import type { Fetched } from './fetch-client.ts';

export interface FollowedPartitionCallbacks {
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>;
  /** Called when the next offset has moved past offsets without a record. */
  readonly onPosition: (position: Position) => void;
  /** Called when `onRecords` rejected. */
  readonly onRejected: (error: unknown) => void;
}

/** One partition of a tail: its next offset and its running handler. */
export class FollowedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #callbacks: FollowedPartitionCallbacks;
  #offset: number;
  #handling: Promise<void> | undefined;

  constructor(
    { topic, partition, offset }: { topic: string; partition: number; offset: number },
    callbacks: FollowedPartitionCallbacks,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#offset = offset;
    this.#callbacks = callbacks;
  }

  /** The next offset to fetch. */
  get offset(): number {
    return this.#offset;
  }

  /** Resolves when `onRecords` has settled; undefined when it is not running. A handled partition is not fetched. */
  get handling(): Promise<void> | undefined {
    return this.#handling;
  }

  deliver({ records, nextOffset }: Fetched): void {
    const reached = (records.at(-1)?.offset ?? this.#offset - 1) + 1;
    this.#offset = nextOffset;
    if (records.length === 0) return this.#report(reached);
    this.#handling = this.#handle(records, reached).finally(() => {
      this.#handling = undefined;
    });
  }

  async #handle(records: readonly LogRecord[], reached: number): Promise<void> {
    try {
      await this.#callbacks.onRecords(records);
      this.#report(reached);
    } catch (error) {
      this.#callbacks.onRejected(error);
    }
  }

  #report(reached: number): void {
    const { topic, partition } = this;
    if (this.#offset > reached) this.#callbacks.onPosition({ topic, partition, offset: this.#offset });
  }
}

import type { LogRecord } from '../event-log.ts';
import type { Fetched } from './fetch-client.ts';

export interface FollowedPartitionCallbacks {
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>;
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
    this.#offset = nextOffset;
    if (records.length === 0) return;
    this.#handling = this.#handle(records).finally(() => {
      this.#handling = undefined;
    });
  }

  async #handle(records: readonly LogRecord[]): Promise<void> {
    try {
      await this.#callbacks.onRecords(records);
    } catch (error) {
      this.#callbacks.onRejected(error);
    }
  }
}

import type { ConsumeOptions, LogRecord } from '../event-log.ts';
import { handleUntilResolved } from '../handle-until-resolved.ts';
import type { GroupBatch, GroupClient, GroupMessage } from './group-client.ts';
import { settledWithin } from './or-aborted.ts';
import { recordContent } from './record-content.ts';

export interface PartitionConsumerContext {
  readonly options: ConsumeOptions;
  /** Aborts when the consumption stops. */
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const DEFAULT_BATCH_RECORDS = 200;
/**
 * kafkajs fetches nothing from a broker while one of the broker's partitions is being handled. A handler may block the
 * others for this long; then its partition is paused and handled in the background.
 */
const ATTACHED_MS = 100;

/** One partition of one member: handles its batches one after the other, whatever kafkajs fetches meanwhile. */
export class PartitionConsumer {
  readonly topic: string;
  readonly partition: number;
  readonly #client: GroupClient;
  readonly #context: PartitionConsumerContext;
  readonly #lost = new AbortController();
  /** Aborts the handler when the partition is lost or the consumption stops. */
  readonly #signal: AbortSignal;
  #running: Promise<unknown> | undefined;
  #paused = false;

  constructor(client: GroupClient, topic: string, partition: number, context: PartitionConsumerContext) {
    this.#client = client;
    this.topic = topic;
    this.partition = partition;
    this.#context = context;
    this.#signal = AbortSignal.any([context.signal, this.#lost.signal]);
  }

  /** Settles when the running handler is done and acknowledged; undefined when there is none. */
  get running(): Promise<unknown> | undefined {
    return this.#running;
  }

  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  lose(): void {
    this.#lost.abort();
  }

  async handle(batch: GroupBatch): Promise<void> {
    // This batch was being fetched when the partition was paused, or was lost and assigned again.
    if (this.#running) return this.#pause();
    const { messages } = batch;
    const size = this.#context.options.maxBatchRecords ?? DEFAULT_BATCH_RECORDS;
    for (let from = 0; from < messages.length; from += size) {
      if (this.#context.signal.aborted || !batch.isCurrent()) return;
      const chunk = messages.slice(from, from + size);
      const last = chunk.at(-1) as GroupMessage;
      const handled = this.#startHandler(chunk);
      if (!(await settledWithin(handled, ATTACHED_MS))) return this.#detach(handled, last);
      if (!(await handled)) return this.#finish();
      await this.#acknowledgeAttached(batch, last);
    }
  }

  /** Counts as running: when the partition's leader moves meanwhile, kafkajs fetches the same records again. */
  async #acknowledgeAttached(batch: GroupBatch, last: GroupMessage): Promise<void> {
    const acknowledged = batch.acknowledge(last);
    this.#running = acknowledged;
    try {
      await acknowledged;
    } finally {
      this.#finish();
    }
  }

  #startHandler(messages: readonly GroupMessage[]): Promise<boolean> {
    const { topic, partition } = this;
    const { options, onError } = this.#context;
    const records = messages.map((message) => toRecord(topic, partition, message));
    const batch = { topic, partition, records, signal: this.#signal };
    const handled = handleUntilResolved(batch, options.handler, onError);
    this.#running = handled;
    return handled;
  }

  #detach(handled: Promise<boolean>, last: GroupMessage): void {
    this.#pause();
    const acknowledged = handled
      .then((done) => (done ? this.#acknowledge(last) : undefined))
      .catch(this.#context.onError)
      .finally(() => this.#finish());
    // An error that the caller's `onError` throws ends here: no caller awaits a detached handler.
    acknowledged.catch(() => undefined);
    this.#running = acknowledged;
  }

  /** Does nothing after the partition was lost: its new owner may be further, and must not be set back. */
  async #acknowledge(last: GroupMessage): Promise<void> {
    if (this.isLost) return;
    const nextOffset = Number(last.offset) + 1;
    await this.#client.commit(this.topic, this.partition, nextOffset);
    if (!this.isLost) this.#client.seek(this.topic, this.partition, nextOffset);
  }

  #pause(): void {
    this.#paused = true;
    this.#client.pause(this.topic, this.partition);
  }

  #finish(): void {
    this.#running = undefined;
    if (this.#paused) this.#client.resume(this.topic, this.partition);
    this.#paused = false;
  }
}

function toRecord(topic: string, partition: number, message: GroupMessage): LogRecord {
  const { key, value, timestamp, headers = {} } = message;
  const content = recordContent({
    key,
    value,
    // kafkajs has an array for headers of the same name.
    headers: Object.entries(headers).flatMap(([name, values]) =>
      (Array.isArray(values) ? values : [values]).map((each) => [name, each] as const),
    ),
    timestampMs: Number(timestamp),
  });
  return { topic, partition, offset: Number(message.offset), ...content };
}

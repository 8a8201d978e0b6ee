import { setImmediate as nextTurn } from 'node:timers/promises';
import { delay } from '@tidegate/runtime/resilience';
import type { Position, Tail, TailOptions } from '../event-log.ts';
import { toError } from '../handle-until-resolved.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredTopic } from './topic-store.ts';
import type { WakeUps } from './wake-ups.ts';

export interface TailDependencies {
  readonly records: RecordStore;
  readonly wakeUps: WakeUps;
}

const RETRY_FILE_MS = 250;
const limits = { maxRecords: 500, maxBytes: 4 * 1024 * 1024 };

/** Follows each partition from its start on, independently of the others. */
export class SqliteTail implements Tail {
  readonly startedAt: readonly Position[];
  readonly #dependencies: TailDependencies;
  readonly #topics: ReadonlyMap<string, StoredTopic>;
  readonly #options: TailOptions;
  readonly #abort = new AbortController();
  #done: Promise<unknown> = Promise.resolve();

  constructor(
    dependencies: TailDependencies,
    topics: ReadonlyMap<string, StoredTopic>,
    startedAt: readonly Position[],
    options: TailOptions,
  ) {
    this.#dependencies = dependencies;
    this.#topics = topics;
    this.startedAt = startedAt;
    this.#options = options;
  }

  start(): this {
    this.#done = Promise.all(
      this.startedAt.map((position) => this.#follow(position).catch((error) => this.#fail(error))),
    );
    return this;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #follow({ topic: name, partition, offset: first }: Position): Promise<void> {
    const { records, wakeUps } = this.#dependencies;
    const { signal } = this.#abort;
    const topic = this.#topics.get(name) as StoredTopic;
    let offset = first;
    while (!signal.aborted) {
      const slice = await this.#orRetry(() => records.read(topic, partition, offset, limits));
      if (!slice) continue;
      // Retention has overtaken a slow reader: going on would leave a gap that the reader cannot see.
      if (slice.ends.start > offset) throw positionOutOfRange({ topic: name, partition, offset }, slice.ends);
      const { nextOffset } = slice;
      if (slice.records.length > 0) await this.#options.onRecords(slice.records);
      const reached = (slice.records.at(-1)?.offset ?? offset - 1) + 1;
      offset = nextOffset;
      if (nextOffset > reached && !signal.aborted)
        this.#options.onPosition?.({ topic: name, partition, offset: nextOffset });
      if (slice.more) await nextTurn();
      else await this.#orRetry(() => wakeUps.wait(topic, partition, offset, signal));
    }
  }

  /** Resolves with undefined, after a pause, when the file cannot be read: a full disk or a lock is no end of the log. */
  async #orRetry<T>(read: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#options.onTrouble?.(toError(error));
      await delay(RETRY_FILE_MS, this.#abort.signal).catch(() => undefined);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#options.onEnd?.(toError(error));
  }
}

import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { StreamFeed } from '../feed/stream-feed.ts';

/**
 * Compares, every few seconds, how far each tail has come with where its topic ended at the look before: a partition
 * that did not get there in the meantime is stuck, however well all the others flow.
 */
export class PartitionWatch {
  readonly #log: EventLog;
  readonly #feeds: readonly StreamFeed[];
  readonly #logger: Logger;
  readonly #everyMs: number;
  readonly #expected = new Map<StreamFeed, ReadonlyMap<number, number>>();
  readonly #stuck = new Map<StreamFeed, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { log: EventLog; feeds: readonly StreamFeed[]; logger: Logger; everyMs?: number }) {
    this.#log = options.log;
    this.#feeds = options.feeds;
    this.#logger = options.logger;
    this.#everyMs = options.everyMs ?? 10_000;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const feed of this.#feeds) void this.#look(feed);
    }, this.#everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @throws Error naming the partitions that are stuck, or that the log cannot be asked. */
  check(): void {
    if (this.#stuck.size > 0) throw new Error([...this.#stuck.values()].join('; '));
  }

  async #look(feed: StreamFeed): Promise<void> {
    try {
      const behind = [...(this.#expected.get(feed) ?? [])]
        .filter(([partition, end]) => (feed.positions[partition] ?? 0) < end)
        .map(([partition]) => partition);
      const ends = await this.#log.ends(feed.topic);
      this.#expected.set(feed, new Map(ends.map(({ partition, end }) => [partition, end])));
      if (behind.length === 0) this.#stuck.delete(feed);
      else this.#note(feed, `${feed.topic} is stuck on partition ${behind.join(', ')}`);
    } catch (error) {
      this.#note(feed, `${feed.topic}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #note(feed: StreamFeed, problem: string): void {
    if (!this.#stuck.has(feed))
      this.#logger.error({ topic: feed.topic }, `live changes do not flow: ${problem}`);
    this.#stuck.set(feed, problem);
  }
}

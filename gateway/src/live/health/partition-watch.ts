import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface PartitionWatchOptions {
  readonly log: EventLog;
  readonly feeds: readonly StreamFeed[];
  readonly logger: Logger;
  /** Interval of the checks in milliseconds. Default 10,000. */
  readonly everyMs?: number;
}

/**
 * Finds stuck partitions. Every few seconds it compares each feed's positions with the topic's ends at the previous
 * check: a partition that has not reached its previous end is stuck, even while all others flow.
 */
export class PartitionWatch {
  readonly #log: EventLog;
  readonly #feeds: readonly StreamFeed[];
  readonly #logger: Logger;
  readonly #everyMs: number;
  /** Ends at the previous check. */
  readonly #expected = new Map<StreamFeed, ReadonlyMap<number, number>>();
  readonly #stuck = new Map<StreamFeed, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PartitionWatchOptions) {
    this.#log = options.log;
    this.#feeds = options.feeds;
    this.#logger = options.logger;
    this.#everyMs = options.everyMs ?? 10_000;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const feed of this.#feeds) void this.#checkFeed(feed);
    }, this.#everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @throws Error naming the stuck partitions, or the error of reading the topic's ends. */
  check(): void {
    if (this.#stuck.size > 0) throw new Error([...this.#stuck.values()].join('; '));
  }

  async #checkFeed(feed: StreamFeed): Promise<void> {
    try {
      const behind = [...(this.#expected.get(feed) ?? [])]
        .filter(([partition, end]) => (feed.positions[partition] ?? 0) < end)
        .map(([partition]) => partition);
      const ends = await this.#log.ends(feed.topic);
      this.#expected.set(feed, new Map(ends.map(({ partition, end }) => [partition, end])));
      if (behind.length === 0) this.#stuck.delete(feed);
      else this.#report(feed, `${feed.topic} is stuck on partition ${behind.join(', ')}`);
    } catch (error) {
      this.#report(feed, `${feed.topic}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #report(feed: StreamFeed, problem: string): void {
    if (!this.#stuck.has(feed))
      this.#logger.error({ topic: feed.topic }, `live changes do not flow: ${problem}`);
    this.#stuck.set(feed, problem);
  }
}

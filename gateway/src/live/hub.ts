import type { LiveStream } from '@tidegate/bff';
import { RESUME_WINDOW_MS, TidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { retry, WorkTurns } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Change } from './feed/change.ts';
import type { Positions } from './feed/positions.ts';
import { StreamFeed } from './feed/stream-feed.ts';
import { StreamGroups } from './group/stream-groups.ts';
import type { LiveRequest, LiveSubscription } from './live-request.ts';
import type { LiveMetrics } from './metrics.ts';
import { ChangeReader, cursorExpired } from './resume/change-reader.ts';
import type { CursorCodec } from './resume/cursor.ts';
import { ReplayBudget } from './resume/replay-budget.ts';
import type { Sink } from './sink.ts';
import { Subscriber } from './subscription/subscriber.ts';

export interface LiveHubOptions {
  readonly streams: readonly LiveStream[];
  readonly log: EventLog;
  readonly codec: CursorCodec;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  /** Memory limit for the history of each stream, in bytes. Default 64 MiB. */
  readonly historyBytes?: number;
  /** Age at which changes leave the history, in milliseconds. Default 5 minutes. */
  readonly historyMs?: number;
  /** Memory limit for all cached replays of the hub, in bytes. Default 64 MiB. */
  readonly replayBytes?: number;
  /** Newest records of each partition that are read into the history at start. Default 2,000. */
  readonly fillRecords?: number;
  /** Maximum changes queued in a group, and frames buffered in a subscription that catches up. Default 10,000. */
  readonly maxQueued?: number;
  /** Interval in milliseconds at which idle subscriptions are sent their position. Default 60,000. */
  readonly positionEveryMs?: number;
  /** Maximum wait in milliseconds for a cursor of another replica that is ahead of this one. Default 5,000. */
  readonly reachTimeoutMs?: number;
  /** Maximum age of a cursor in milliseconds; each topic has to keep records for as long. Default 24 hours. */
  readonly resumeWindowMs?: number;
  /** Work of all replays together in milliseconds between two turns of the event loop. Default 5. */
  readonly replaySliceMs?: number;
}

const DEFAULTS = {
  historyBytes: 64 * 1024 * 1024,
  historyMs: 5 * 60 * 1000,
  replayBytes: 64 * 1024 * 1024,
  fillRecords: 2_000,
  maxQueued: 10_000,
  // Bounds the age of an idle client's cursor: a resume then looks at one more minute of history, by its index term.
  positionEveryMs: 60_000,
  reachTimeoutMs: 5_000,
  resumeWindowMs: RESUME_WINDOW_MS,
  replaySliceMs: 5,
};

/** Positions are sent to a thirtieth of the subscriptions at a time, so that a round causes no pause. */
const POSITION_PARTS = 30;
/** Neighbours are in the same part: most belong to one connection, which joins their positions in one message. */
const POSITION_BLOCK = 64;

/** A delay beyond a day is a producer's wrong time, or a backlog that other metrics tell. */
const MAX_DELAY_SECONDS = 86_400;
const RESTART = { firstMs: 200, maxMs: 5_000 };

/** One stream in this process. */
interface HubStream {
  readonly feed: StreamFeed;
  readonly groups: StreamGroups;
  readonly reader: ChangeReader;
}

/**
 * The live hub: one per process, for all BFFs and transports. Tails each stream once, dispatches every change to the
 * groups that it concerns, and opens subscriptions.
 */
export class LiveHub {
  readonly #options: LiveHubOptions & typeof DEFAULTS;
  readonly #streams = new Map<string, HubStream>();
  readonly #subscribers = new Map<Subscriber, HubStream>();
  readonly #replayBudget: ReplayBudget;
  readonly #replayTurns: WorkTurns;
  /** Error that each tail has ended with, until it runs again. */
  readonly #failures = new Map<StreamFeed, Error>();
  #stopping = new AbortController();
  #positionTimer: NodeJS.Timeout | undefined;
  #isStarted = false;

  constructor(options: LiveHubOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#replayBudget = new ReplayBudget(this.#options.replayBytes, (bytes) =>
      options.metrics.replayBytes.set(bytes),
    );
    this.#replayTurns = new WorkTurns({ sliceMs: this.#options.replaySliceMs });
    for (const stream of options.streams) this.#streams.set(stream.name, this.#createStream(stream));
  }

  /** One feed per stream. */
  get feeds(): readonly StreamFeed[] {
    return [...this.#streams.values()].map(({ feed }) => feed);
  }

  get subscriptions(): number {
    return this.#subscribers.size;
  }

  get groups(): number {
    return [...this.#streams.values()].reduce((sum, { groups }) => sum + groups.size, 0);
  }

  /** Resolves when the history of every stream is filled and its tail has caught up. */
  async start(signal: AbortSignal): Promise<void> {
    const { feeds } = this;
    this.#stopping = new AbortController();
    const started = await Promise.allSettled(feeds.map((feed) => feed.start(signal)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) {
      // All feeds or none, so that the caller can retry.
      this.#stopping.abort();
      this.#failures.clear();
      await Promise.all(feeds.map((feed) => feed.stop()));
      throw failed.reason;
    }
    this.#isStarted = true;
    let part = 0;
    this.#positionTimer = setInterval(
      () => this.#deliverPositions(part++ % POSITION_PARTS),
      this.#options.positionEveryMs / POSITION_PARTS,
    );
  }

  /** Stops the tails and ends every subscription with DRAINING: clients reconnect elsewhere with their cursor. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#stopping.abort();
    clearInterval(this.#positionTimer);
    await Promise.all(this.feeds.map((feed) => feed.stop()));
    const draining = new TidegateError(
      'DRAINING',
      'This gateway is shutting down; come back with your cursor.',
    );
    for (const subscriber of [...this.#subscribers.keys()]) subscriber.fail(draining);
  }

  /** @throws Error while no changes can flow. For `/readyz`. */
  checkFlow(): void {
    for (const failure of this.#failures.values()) throw failure;
    if (!this.#isStarted) throw new Error('the live hub is filling its history');
  }

  /** True when the hub tails this stream object: its `terms` are the ones that groups are indexed by. */
  tails(stream: LiveStream): boolean {
    return this.#options.streams.includes(stream);
  }

  /** Opens a subscription. Errors are delivered to the sink. */
  subscribe(request: LiveRequest, sink: Sink): LiveSubscription {
    const stream = this.#streams.get(request.field.stream.name);
    if (!stream || !this.#isStarted || this.#failures.has(stream.feed)) {
      queueMicrotask(() =>
        sink.fail(new TidegateError('UNAVAILABLE', 'Live changes are not flowing yet; come back.')),
      );
      return { stop: () => undefined, renew: () => undefined };
    }
    const { metrics, maxQueued, reachTimeoutMs, resumeWindowMs } = this.#options;
    const topic = request.field.stream.definition.topic.name;
    const subscriber = new Subscriber({
      ...stream,
      replayBudget: this.#replayBudget,
      request,
      sink,
      maxBufferedFrames: maxQueued,
      reachTimeoutMs,
      resumeWindowMs,
      onRefresh: (reason) => metrics.refreshes.inc({ topic, reason }),
      onEnd: (ended) => {
        this.#subscribers.delete(ended);
        metrics.subscriptions.set(this.#subscribers.size);
      },
    });
    this.#subscribers.set(subscriber, stream);
    metrics.subscriptions.set(this.#subscribers.size);
    void subscriber.open();
    return subscriber;
  }

  #createStream(stream: LiveStream): HubStream {
    const { log, logger, metrics, historyBytes, historyMs, fillRecords, codec, maxQueued } = this.#options;
    const { resumeWindowMs } = this.#options;
    const topic = stream.definition.topic.name;
    const feed = new StreamFeed({
      stream,
      log,
      logger,
      metrics,
      historyBytes,
      historyMs,
      fillRecords,
      resumeWindowMs,
      onChange: (change, positions) => this.#dispatch(groups, topic, change, positions),
      onBatchEnd: () => groups.deliver(),
      onEnd: (error) => void this.#restart(feed, error),
    });
    const groups = new StreamGroups({
      feed,
      codec,
      maxQueuedChanges: maxQueued,
      onSize: () => metrics.groups.set(this.groups),
    });
    return { feed, groups, reader: new ChangeReader({ log, feed, turns: this.#replayTurns }) };
  }

  /**
   * Starts a feed again whose tail has ended: its records were deleted before they were read, its topic is another one, or
   * the log was rolled back. Its subscriptions end, because changes may be missing. Never rejects.
   */
  async #restart(feed: StreamFeed, error: Error): Promise<void> {
    const { logger } = this.#options;
    const { signal } = this.#stopping;
    const { topic } = feed;
    this.#failures.set(feed, error);
    logger.error({ err: error, topic }, 'the live tail has ended; not ready until it runs again');
    const interrupted = interruption(error);
    for (const [subscriber, stream] of [...this.#subscribers])
      if (stream.feed === feed) subscriber.fail(interrupted);
    const onRetry = (err: unknown): void =>
      logger.warn({ err, topic }, 'the live tail cannot be started yet');
    try {
      await retry(() => feed.start(signal), { ...RESTART, attempts: Infinity, signal, onRetry });
      this.#failures.delete(feed);
      logger.info({ topic }, 'the live tail runs again');
    } catch {
      // The hub stops.
    }
  }

  #dispatch(groups: StreamGroups, topic: string, change: Change, positions: Positions): void {
    if (this.#isStarted) {
      const delaySeconds = (Date.now() - change.timestampMs) / 1000;
      // A producer may set any time: 1970 or the year 3000 says nothing about a delay.
      if (delaySeconds < MAX_DELAY_SECONDS)
        this.#options.metrics.delaySeconds.observe({ topic }, Math.max(0, delaySeconds));
    }
    groups.dispatch(change, positions);
  }

  #deliverPositions(part: number): void {
    let index = 0;
    for (const subscriber of this.#subscribers.keys())
      if (Math.floor(index++ / POSITION_BLOCK) % POSITION_PARTS === part) subscriber.deliverPosition();
  }
}

/** Returns the error of the subscriptions whose tail has ended with this error. */
function interruption(error: Error): TidegateError {
  if (error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE') return cursorExpired();
  return new TidegateError('UNAVAILABLE', 'Live changes were interrupted; come back with your cursor.');
}

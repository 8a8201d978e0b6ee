import type { LiveStream } from '@tidegate/bff';
import { RESUME_WINDOW_MS, TidegateError } from '@tidegate/core';
import { partitionFor, type EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Change } from './feed/change.ts';
import type { CursorCodec } from './resume/cursor.ts';
import { Group } from './group/group.ts';
import type { Membership } from './subscription/membership.ts';
import type { LiveRequest, LiveSubscription } from './live-request.ts';
import type { Sink } from './sink.ts';
import type { LiveMetrics } from './metrics.ts';
import type { Positions } from './feed/positions.ts';
import { ReplayBudget } from './resume/replay-budget.ts';
import { StreamFeed } from './feed/stream-feed.ts';
import { Subscriber } from './subscription/subscriber.ts';
import { TermIndex } from './group/term-index.ts';

export interface LiveHubOptions {
  readonly streams: readonly LiveStream[];
  readonly log: EventLog;
  readonly codec: CursorCodec;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  /** Memory for the newest changes of each stream. Default 64 MiB. */
  readonly historyBytes?: number;
  /** Memory for what was replayed to one client and may be to others that come back with it. Default 64 MiB. */
  readonly replayBytes?: number;
  /** How many of each partition's newest records are read at start. Default 2,000. */
  readonly fillRecords?: number;
  /** Most changes that may wait in a group, or frames in a subscription that is catching up. Default 10,000. */
  readonly maxQueued?: number;
  /** How often subscriptions that have nothing to say are told where they stand. Default 60 s. */
  readonly positionEveryMs?: number;
  /** How long a cursor of another replica may be ahead of this one. Default 5 s. */
  readonly reachTimeoutMs?: number;
}

interface Channel {
  readonly feed: StreamFeed;
  readonly index: TermIndex<Group>;
  readonly groups: Map<string, Group>;
}

/**
 * How often a quiet subscription is told where it stands. Its cursor is so much older at most when it comes back: a
 * replay then looks at a minute more of the history, by its index term.
 */
const POSITION_EVERY_MS = 60_000;
/** Positions are told to one part of the subscriptions after the other, so that telling them all is no pause. */
const POSITION_PARTS = 30;
/** Neighbours are told together: most are of one connection, which then says it with one message. */
const POSITION_BLOCK = 64;

/**
 * The live hub: one per process, whatever number of BFFs and transports use it. Tails each stream once, finds the
 * groups a change concerns by index, and lets each subscription begin, go on from a cursor, and end.
 */
export class LiveHub {
  readonly #options: LiveHubOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #replayBudget: ReplayBudget;
  #failure: Error | undefined;
  #positions: NodeJS.Timeout | undefined;
  #started = false;

  constructor(options: LiveHubOptions) {
    this.#options = options;
    this.#replayBudget = new ReplayBudget(options.replayBytes ?? 64 * 1024 * 1024, (bytes) =>
      options.metrics.replayBytes.set(bytes),
    );
    for (const stream of options.streams) this.#channels.set(stream.name, this.#createChannel(stream));
  }

  /** Resolves when every stream's history is filled and live. */
  async start(signal: AbortSignal): Promise<void> {
    const feeds = [...this.#channels.values()].map(({ feed }) => feed);
    const started = await Promise.allSettled(feeds.map((feed) => feed.start(signal)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) {
      // All or none, so that starting can be tried again.
      await Promise.all(feeds.map((feed) => feed.stop()));
      throw failed.reason;
    }
    this.#started = true;
    const everyMs = this.#options.positionEveryMs ?? POSITION_EVERY_MS;
    let part = 0;
    this.#positions = setInterval(
      () => this.#tellPositions(part++ % POSITION_PARTS),
      everyMs / POSITION_PARTS,
    );
  }

  /** Ends the tails and every subscription with DRAINING: come back elsewhere with the cursor. */
  async stop(): Promise<void> {
    this.#started = false;
    clearInterval(this.#positions);
    await Promise.all([...this.#channels.values()].map(({ feed }) => feed.stop()));
    const draining = new TidegateError(
      'DRAINING',
      'This gateway is shutting down; come back with your cursor.',
    );
    for (const subscriber of [...this.#subscribers]) subscriber.fail(draining);
  }

  /** One for each stream. */
  get feeds(): readonly StreamFeed[] {
    return [...this.#channels.values()].map(({ feed }) => feed);
  }

  /** Throws while nothing can flow: for `/readyz`. */
  checkFlow(): void {
    if (this.#failure) throw this.#failure;
    if (!this.#started) throw new Error('the live hub is filling its history');
  }

  /** Begins a subscription. Whatever goes wrong is told to the sink. */
  subscribe(request: LiveRequest, sink: Sink): LiveSubscription {
    const channel = this.#channels.get(request.field.stream.name);
    if (!channel || !this.#started) {
      queueMicrotask(() =>
        sink.fail(new TidegateError('UNAVAILABLE', 'Live changes are not flowing yet; come back.')),
      );
      return { stop: () => undefined, renew: () => undefined };
    }
    const subscriber = new Subscriber({
      log: this.#options.log,
      feed: channel.feed,
      replayBudget: this.#replayBudget,
      request,
      sink,
      groupOf: (each) => this.#groupOf(channel, each),
      leave: (membership) => this.#leave(channel, membership),
      decodeCursor: (text, { binding }) =>
        this.#options.codec.decode(text, {
          binding,
          epoch: channel.feed.epoch,
          nowMs: Date.now(),
          maxAgeMs: RESUME_WINDOW_MS,
        }),
      maxPendingFrames: this.#options.maxQueued ?? 10_000,
      reachTimeoutMs: this.#options.reachTimeoutMs ?? 5_000,
      onRefresh: (reason) =>
        this.#options.metrics.refreshes.inc({ topic: request.field.stream.definition.topic.name, reason }),
      onEnd: (ended) => {
        this.#subscribers.delete(ended);
        this.#options.metrics.subscriptions.set(this.#subscribers.size);
      },
    });
    this.#subscribers.add(subscriber);
    this.#options.metrics.subscriptions.set(this.#subscribers.size);
    void subscriber.open();
    return subscriber;
  }

  /** Whether this very stream is tailed: its terms are what groups are found by. */
  tails(stream: LiveStream): boolean {
    return this.#options.streams.includes(stream);
  }

  get subscriptions(): number {
    return this.#subscribers.size;
  }

  get groups(): number {
    return [...this.#channels.values()].reduce((sum, { groups }) => sum + groups.size, 0);
  }

  #tellPositions(part: number): void {
    let index = 0;
    for (const subscriber of this.#subscribers)
      if (Math.floor(index++ / POSITION_BLOCK) % POSITION_PARTS === part) subscriber.tellPosition();
  }

  #createChannel(stream: LiveStream): Channel {
    const index = new TermIndex<Group>();
    const rendered = new Set<Group>();
    const { log, logger, metrics, historyBytes = 64 * 1024 * 1024, fillRecords = 2_000 } = this.#options;
    const topic = stream.definition.topic.name;
    const feed = new StreamFeed({
      stream,
      log,
      logger,
      metrics,
      historyBytes,
      fillRecords,
      onChange: (change, positions) => this.#dispatch({ index, rendered, topic }, change, positions),
      onChangesEnd: () => {
        for (const group of rendered) group.deliver();
        rendered.clear();
      },
      onEnd: (error) => {
        this.#failure = error;
        logger.error({ err: error, topic }, 'the live tail ended; this gateway is no longer ready');
      },
    });
    return { feed, index, groups: new Map() };
  }

  /** Hands a change to the groups it concerns; what they render leaves them when all that came with it is taken. */
  #dispatch(
    to: { index: TermIndex<Group>; rendered: Set<Group>; topic: string },
    change: Change,
    positions: Positions,
  ): void {
    const { index, rendered, topic } = to;
    if (this.#started)
      this.#options.metrics.delaySeconds.observe(
        { topic },
        Math.max(0, Date.now() - change.timestampMs) / 1000,
      );
    let stable: Positions | undefined;
    for (const group of index.find(change.terms)) {
      if (!group.wants(change)) continue;
      // The feed's positions move on; what the cursor says must be as of this change. One copy for all groups.
      stable ??= positions.slice();
      group.enqueue(change, stable);
      rendered.add(group);
    }
  }

  #groupOf(channel: Channel, request: LiveRequest): Group {
    const name = `${request.fingerprint}\n${request.scope.id}\n${request.generation ?? 0}`;
    const known = channel.groups.get(name);
    if (known) return known;
    const group: Group = new Group({
      name,
      request,
      feed: channel.feed,
      codec: this.#options.codec,
      partitions: relevantPartitions(channel.feed, request),
      maxQueuedChanges: this.#options.maxQueued ?? 10_000,
      onOverflow: (error) => {
        for (const member of [...group.members]) member.fail(error);
      },
    });
    channel.groups.set(name, group);
    channel.index.add(request.field.term(request.args, request.scope), group);
    this.#options.metrics.groups.set(this.groups);
    return group;
  }

  #leave(channel: Channel, membership: Membership): void {
    const { group } = membership;
    group.members.delete(membership);
    if (group.members.size > 0) return;
    const { field, args, scope } = group.request;
    group.end();
    channel.groups.delete(group.name);
    channel.index.delete(field.term(args, scope), group);
    this.#options.metrics.groups.set(this.groups);
  }
}

function relevantPartitions(feed: StreamFeed, request: LiveRequest): number[] {
  const key = request.field.key?.(request.args);
  if (key !== undefined) return [partitionFor(key, feed.partitions)];
  return Array.from({ length: feed.partitions }, (_, partition) => partition);
}

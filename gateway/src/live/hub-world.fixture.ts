import { sampleTopics } from '@tidegate/testing/sample-messages';
import { defineLiveField, defineLiveStream, type LiveField, type Versioned } from '@tidegate/bff';
import { createMessage, defineMessage, encodeEnvelope, type TidegateError } from '@tidegate/core';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger, type Metrics } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { z } from 'zod';
import { createCursorCodec, type CursorCodec } from './resume/cursor.ts';
import { LiveHub, type LiveHubOptions } from './hub.ts';
import type { LiveRequest } from './live-request.ts';
import type { Sink } from './sink.ts';
import { createLiveMetrics } from './metrics.ts';

const Counted = defineMessage('Counted', {
  owner: 'test',
  version: 1,
  topic: sampleTopics.counterDocuments,
  key: 'counter id',
  schema: z.object({ id: z.string(), owner: z.string(), count: z.number() }),
});
export type Counter = z.infer<typeof Counted.schema>;

const stream = defineLiveStream<Counter>({
  name: 'counters',
  definition: Counted,
  terms: (counter) => ['all', `id:${counter.id}`, `owner:${counter.owner}`],
});

/** All counters, for every viewer. */
export const allCounters = defineLiveField<Record<string, never>, Counter, never>({
  stream,
  authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: () => true }),
  term: () => 'all',
  overflow: 'close',
});

/** One counter, for its owner only. */
export function ownCounter(
  snapshot?: () => Promise<Versioned<Counter> | undefined>,
  options: { overflow?: LiveField['overflow']; snapshotOptional?: boolean } = {},
): LiveField {
  return defineLiveField<{ id: string }, Counter, never>({
    stream,
    authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: (counter) => counter.owner === viewer.id }),
    term: ({ id }) => `id:${id}`,
    key: ({ id }) => id,
    ...(snapshot && { snapshot }),
    overflow: 'close',
    ...options,
  });
}

/** One counter, for every viewer. */
export function publicCounter(
  snapshot?: () => Promise<Versioned<Counter> | undefined>,
  overflow: LiveField['overflow'] = 'close',
): LiveField {
  const field = ownCounter(snapshot, { overflow });
  return { ...field, authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: () => true }) };
}

/** State of a counter at a version. */
export function counterAt(id: string, version: number, owner = 'ann'): Versioned<Counter> {
  return { key: id, version, data: { id, owner, count: version } };
}

interface Received {
  readonly key: string;
  readonly version: number;
  readonly kind: string;
  readonly cursor: string;
  readonly data: unknown;
  readonly dropped: number | undefined;
}

export interface Recorder extends Sink {
  readonly received: Received[];
  readonly positions: string[];
  /** Kind and version of each message: `change 3`, `snapshot 5`. */
  messages(): string[];
  versions(): number[];
  failure?: TidegateError;
  completed: boolean;
}

/** Creates a sink that records every call. */
export function recorder(): Recorder {
  const received: Received[] = [];
  const positions: string[] = [];
  return {
    received,
    positions,
    completed: false,
    messages: () => received.map(({ kind, version }) => `${kind} ${version}`),
    versions: () => received.map(({ version }) => version),
    deliver({ frames }, dropped) {
      for (const [index, { key, version, kind, cursor, json }] of frames.entries()) {
        const { data, extensions } = JSON.parse(json.toString()) as Record<'data' | 'extensions', unknown>;
        // The serialised cursor must be the frame's.
        if ((extensions as { cursor: string }).cursor !== cursor) throw new Error('the cursors differ');
        received.push({ key, version, kind, cursor, data, dropped: index === 0 ? dropped : undefined });
      }
    },
    deliverPosition: (cursor) => void positions.push(cursor),
    complete() {
      this.completed = true;
    },
    fail(error) {
      this.failure = error;
    },
  };
}

export interface RequestOptions {
  readonly args?: Record<string, unknown>;
  readonly viewer?: string;
  readonly cursor?: string | undefined;
  readonly render?: LiveRequest['render'];
}

/** Creates a request to subscribe to a field. */
export function requestFor(field: LiveField, options: RequestOptions = {}): LiveRequest {
  const {
    args = {},
    viewer = 'ann',
    cursor,
    render = (data) => ({ data: data as Record<string, unknown> }),
  } = options;
  const { snapshot } = field;
  return {
    field,
    args,
    scope: field.authorise({ role: 'member', id: viewer }, args),
    fingerprint: JSON.stringify(args),
    render,
    ...(cursor !== undefined && { cursor }),
    ...(snapshot && { snapshot: () => snapshot(args, undefined) }),
  };
}

/** True while the hub is ready: `checkFlow` does not throw. */
export function isFlowing(hub: LiveHub): boolean {
  try {
    hub.checkFlow();
    return true;
  } catch {
    return false;
  }
}

/** Hubs on an in-memory log, with counters that a test publishes. */
export class HubWorld implements AsyncDisposable {
  readonly log: EventLog = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
  readonly codec: CursorCodec = createCursorCodec(['a secret of at least thirty-two characters']);
  readonly metrics: Metrics = createMetrics({ nodeMetrics: false });
  readonly #hubs: LiveHub[] = [];

  static async start(options: Partial<LiveHubOptions> = {}): Promise<HubWorld> {
    const world = new HubWorld();
    await world.log.ensureTopics([
      { name: sampleTopics.counterDocuments.name, partitions: 4, cleanup: 'compact', retentionMs: 1e9 },
    ]);
    await world.startHub(options);
    return world;
  }

  /** The hub that was started first. */
  get hub(): LiveHub {
    return this.#hubs[0]!;
  }

  /** Starts another replica on the same log. */
  async startHub(options: Partial<LiveHubOptions> = {}): Promise<LiveHub> {
    const hub = new LiveHub({
      streams: [stream],
      log: this.log,
      codec: this.codec,
      logger: silentLogger,
      metrics: createLiveMetrics(
        this.#hubs.length === 0 ? this.metrics : createMetrics({ nodeMetrics: false }),
      ),
      ...options,
    });
    await hub.start(AbortSignal.timeout(5_000));
    this.#hubs.push(hub);
    return hub;
  }

  /** Resolves when the first hub has dispatched this many changes in total. */
  async hubHasSeen(changes: number): Promise<void> {
    await until(() => this.hub.feeds[0]!.seq >= changes, { what: `${changes} changes to be dispatched` });
  }

  async metricsText(): Promise<string> {
    return (await this.metrics.render()).body;
  }

  async publish(id: string, version: number, owner = 'ann'): Promise<void> {
    await this.append([counterRecord(id, version, owner)]);
  }

  async append(records: readonly OutgoingRecord[]): Promise<void> {
    await this.log.append(sampleTopics.counterDocuments.name, records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const hub of this.#hubs) await hub.stop();
    await this.log.close();
  }
}

/** Encodes a version of a counter as a record of its document topic. */
export function counterRecord(id: string, version: number, owner = 'ann'): OutgoingRecord {
  return encodeEnvelope(
    createMessage(Counted, {
      id: `counter/${id}@${version}`,
      key: id,
      sequence: version,
      timeMs: 0,
      data: { id, owner, count: version },
    }),
  );
}

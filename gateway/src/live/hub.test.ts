import { createMetrics, silentLogger } from '@tidegate/telemetry';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { defineLiveField, defineLiveStream, type LiveField } from '@tidegate/bff';
import { createMessage, defineMessage, encodeEnvelope, topics } from '@tidegate/contracts';
import type { TidegateError } from '@tidegate/errors';
import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCursorCodec } from './cursor.ts';
import { LiveHub, type LiveHubOptions } from './hub.ts';
import type { LiveRequest, Sink } from './live-request.ts';
import { createLiveMetrics } from './metrics.ts';

const Counted = defineMessage('Counted', {
  owner: 'test',
  version: 1,
  topic: topics.orderDocuments,
  key: 'counter id',
  schema: z.object({ id: z.string(), owner: z.string(), count: z.number() }),
});
type Counter = z.infer<typeof Counted.schema>;

const stream = defineLiveStream<Counter>({
  name: 'counters',
  definition: Counted,
  terms: (counter) => ['all', `id:${counter.id}`, `owner:${counter.owner}`],
});

const all = defineLiveField<Record<string, never>, Counter, never>({
  stream,
  authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: () => true }),
  term: () => 'all',
  overflow: 'close',
});

function one(snapshot?: () => Promise<{ key: string; version: number; data: Counter } | undefined>) {
  return defineLiveField<{ id: string }, Counter, never>({
    stream,
    authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: (counter) => counter.owner === viewer.id }),
    term: ({ id }) => `id:${id}`,
    key: ({ id }) => id,
    ...(snapshot && { snapshot }),
    overflow: 'close',
  });
}

interface Received {
  readonly key: string;
  readonly version: number;
  readonly kind: string;
  readonly cursor: string;
}

/** A sink that keeps what it is told. */
function recorder(): Sink & {
  received: Received[];
  versions: () => number[];
  failure?: TidegateError;
  completed: boolean;
} {
  const received: Received[] = [];
  return {
    received,
    completed: false,
    versions: () => received.map(({ version }) => version),
    next({ frames }) {
      for (const { key, version, kind, cursor } of frames) received.push({ key, version, kind, cursor });
    },
    complete() {
      this.completed = true;
    },
    fail(error) {
      this.failure = error;
    },
  };
}

describe('the live hub', () => {
  let log: EventLog;
  let hub: LiveHub;

  beforeEach(async () => {
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics([
      { name: topics.orderDocuments.name, partitions: 4, cleanup: 'compact', retentionMs: 1e9 },
    ]);
    hub = await startHub();
  });

  afterEach(async () => {
    await hub.stop();
    await log.close();
  });

  async function startHub(options: Partial<LiveHubOptions> = {}): Promise<LiveHub> {
    const started = new LiveHub({
      streams: [stream],
      log,
      codec: createCursorCodec(['a secret of at least thirty-two characters']),
      logger: silentLogger,
      metrics: createLiveMetrics(createMetrics({ nodeMetrics: false })),
      ...options,
    });
    await started.start(AbortSignal.timeout(5_000));
    return started;
  }

  async function publish(id: string, version: number, owner = 'ann'): Promise<void> {
    const message = createMessage(Counted, {
      id: `counter/${id}@${version}`,
      key: id,
      sequence: version,
      timeMs: 0,
      data: { id, owner, count: version },
    });
    await log.append(topics.orderDocuments.name, [encodeEnvelope(message)]);
  }

  function request(
    field: LiveField,
    options: {
      args?: Record<string, unknown>;
      viewer?: string;
      cursor?: string;
      render?: LiveRequest['render'];
    } = {},
  ): LiveRequest {
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
      scope: field.authorise({ role: 'customer', id: viewer }, args),
      fingerprint: JSON.stringify(args),
      render,
      ...(cursor !== undefined && { cursor }),
      ...(snapshot && { snapshot: () => snapshot(args, undefined) }),
    };
  }

  it('delivers each change of a key once and in order', async () => {
    const sink = recorder();
    hub.subscribe(request(all), sink);
    for (let version = 1; version <= 20; version++) await publish('a', version);
    await until(() => sink.received.length >= 20, { what: 'twenty changes' });
    expect(sink.versions()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('drops a record that the relay published twice', async () => {
    const sink = recorder();
    hub.subscribe(request(all), sink);
    for (const version of [1, 2, 2, 1, 3]) await publish('a', version);
    await until(() => sink.versions().includes(3), { what: 'the last change' });
    expect(sink.versions()).toEqual([1, 2, 3]);
  });

  it('executes once for all subscriptions of a group', async () => {
    let executions = 0;
    const render: LiveRequest['render'] = (data) => {
      executions += 1;
      return { data: data as Record<string, unknown> };
    };
    const sinks = [recorder(), recorder(), recorder()];
    for (const sink of sinks) hub.subscribe(request(all, { render }), sink);
    expect(hub.groups).toBe(1);
    await publish('a', 1);
    await until(() => sinks.every((sink) => sink.received.length === 1), { what: 'all three' });
    expect(executions).toBe(1);
  });

  it('shows a change only to those whose scope sees it', async () => {
    const field = one();
    const [ann, bob] = [recorder(), recorder()];
    hub.subscribe(request(field, { args: { id: 'a' }, viewer: 'ann' }), ann);
    hub.subscribe(request(field, { args: { id: 'a' }, viewer: 'bob' }), bob);
    await publish('a', 1, 'ann');
    await publish('a', 2, 'bob');
    await until(() => ann.received.length === 1 && bob.received.length === 1, { what: 'one change each' });
    expect([ann.versions(), bob.versions()]).toEqual([[1], [2]]);
  });

  it('keeps the order of changes while execution is slow', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      if ((data as Counter).count === 1) await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const sink = recorder();
    hub.subscribe(request(all, { render }), sink);
    for (const version of [1, 2, 3]) await publish('a', version);
    gate.resolve();
    await until(() => sink.received.length === 3, { what: 'three changes' });
    expect(sink.versions()).toEqual([1, 2, 3]);
  });

  it('sends a snapshot, then exactly the changes after its version', async () => {
    const gate = deferred();
    const field = one(async () => {
      await gate.promise;
      return { key: 'a', version: 2, data: { id: 'a', owner: 'ann', count: 2 } };
    });
    const sink = recorder();
    hub.subscribe(request(field, { args: { id: 'a' } }), sink);
    for (const version of [1, 2, 3]) await publish('a', version);
    gate.resolve();
    await publish('a', 4);
    await until(() => sink.received.length === 3, { what: 'the snapshot and two changes' });
    expect(sink.received.map(({ kind, version }) => `${kind} ${version}`)).toEqual([
      'snapshot 2',
      'change 3',
      'change 4',
    ]);
  });

  it('refuses with NOT_FOUND what does not exist or belongs to somebody else', async () => {
    const none = recorder();
    hub.subscribe(
      request(
        one(() => Promise.resolve(undefined)),
        { args: { id: 'a' } },
      ),
      none,
    );
    const foreign = recorder();
    const bobs = { key: 'b', version: 1, data: { id: 'b', owner: 'bob', count: 1 } };
    hub.subscribe(
      request(
        one(() => Promise.resolve(bobs)),
        { args: { id: 'b' } },
      ),
      foreign,
    );
    await until(() => none.failure && foreign.failure, { what: 'two refusals' });
    expect([none.failure?.code, foreign.failure?.code]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(hub.subscriptions).toBe(0);
  });

  it('goes on after a cursor with nothing missing and nothing twice', async () => {
    const first = recorder();
    const subscription = hub.subscribe(request(all), first);
    for (const version of [1, 2]) await publish('a', version);
    await until(() => first.received.length === 2, { what: 'two changes' });
    subscription.stop();
    for (const version of [3, 4]) await publish('a', version);
    const second = recorder();
    hub.subscribe(request(all, { cursor: first.received[0]!.cursor }), second);
    await publish('a', 5);
    await until(() => second.versions().includes(5), { what: 'the newest change' });
    expect(second.versions()).toEqual([2, 3, 4, 5]);
  });

  it('goes on after the cursor of a snapshot that was ahead of the log', async () => {
    const snapshot = { key: 'a', version: 2, data: { id: 'a', owner: 'ann', count: 2 } };
    const field = one(() => Promise.resolve(snapshot));
    const first = recorder();
    const subscription = hub.subscribe(request(field, { args: { id: 'a' } }), first);
    await until(() => first.received.length === 1, { what: 'the snapshot' });
    subscription.stop();
    for (const version of [1, 2, 3]) await publish('a', version);
    const second = recorder();
    hub.subscribe(request(field, { args: { id: 'a' }, cursor: first.received[0]!.cursor }), second);
    await until(() => second.received.length > 0, { what: 'the change after the snapshot' });
    expect(second.received.map(({ kind, version }) => `${kind} ${version}`)).toEqual(['change 3']);
  });

  it('reads from the log what a replica that just started does not hold in memory', async () => {
    const first = recorder();
    hub.subscribe(request(all), first);
    for (let version = 1; version <= 30; version++)
      await publish(version % 2 ? 'a' : 'b', Math.ceil(version / 2));
    await until(() => first.received.length === 30, { what: 'thirty changes' });
    const replica = await startHub({ fillRecords: 2 });
    const second = recorder();
    replica.subscribe(request(all, { cursor: first.received[4]!.cursor }), second);
    await publish('a', 16);
    await until(() => second.received.some(({ key, version }) => key === 'a' && version === 16), {
      what: 'the newest',
    });
    for (const key of ['a', 'b']) {
      const versions = second.received.filter((each) => each.key === key).map(({ version }) => version);
      const before = first.received.slice(0, 5).filter((each) => each.key === key).length;
      const newest = key === 'a' ? 16 : 15;
      expect(versions).toEqual(Array.from({ length: newest - before }, (_, index) => before + 1 + index));
    }
    await replica.stop();
  });

  it('refuses a cursor of another subscription', async () => {
    const first = recorder();
    hub.subscribe(request(all), first);
    await publish('a', 1);
    await until(() => first.received.length === 1, { what: 'a cursor' });
    const second = recorder();
    hub.subscribe(request(all, { viewer: 'bob', cursor: first.received[0]!.cursor }), second);
    await until(() => second.failure, { what: 'the refusal' });
    expect(second.failure?.code).toBe('CURSOR_FOREIGN');
  });

  it('forgets a group with its last subscription', async () => {
    const subscriptions = [hub.subscribe(request(all), recorder()), hub.subscribe(request(all), recorder())];
    expect([hub.groups, hub.subscriptions]).toEqual([1, 2]);
    for (const subscription of subscriptions) subscription.stop();
    expect([hub.groups, hub.subscriptions]).toEqual([0, 0]);
  });

  it('skips a record that nobody can read and goes on', async () => {
    const sink = recorder();
    hub.subscribe(request(all), sink);
    await log.append(topics.orderDocuments.name, [{ key: 'a', value: Buffer.from('{'), headers: {} }]);
    await publish('a', 1);
    await until(() => sink.received.length === 1, { what: 'the change behind it' });
    expect(sink.failure).toBeUndefined();
  });

  it('tells its subscriptions to come back when it stops', async () => {
    const sink = recorder();
    hub.subscribe(request(all), sink);
    await hub.stop();
    expect(sink.failure?.code).toBe('DRAINING');
  });
});

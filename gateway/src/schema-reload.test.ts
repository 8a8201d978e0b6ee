import { sampleTopics } from '@tidegate/testing/sample-messages';
import { defineLiveField, defineLiveStream, type Bff, type Viewer } from '@tidegate/bff';
import { createMessage, defineMessage, encodeEnvelope } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway, type Gateway } from './gateway.ts';
import { recorder } from './live/hub-world.fixture.ts';
import { reloadBffs, reloadOnHangup } from './reload-bffs.ts';

const Counted = defineMessage('Counted', {
  owner: 'test',
  version: 1,
  topic: sampleTopics.counterDocuments,
  key: 'counter id',
  schema: z.object({ id: z.string(), count: z.number() }),
});

const stream = defineLiveStream<{ id: string }>({
  name: 'counters',
  definition: Counted,
  terms: ({ id }) => [`id:${id}`],
});

function counterBff(fields: string, listensTo = stream): Bff {
  return {
    name: 'counters',
    typeDefs: `
      type Query { ready: Boolean }
      type Counter { ${fields} }
      type Subscription { counter(id: ID!): Counter }`,
    resolvers: { Counter: { double: ({ count }: { count: number }) => 2 * count } },
    liveFields: {
      counter: defineLiveField<{ id: string }, { id: string }, unknown>({
        stream: listensTo,
        authorise: (viewer) => ({
          id: `v:${viewer.id}`,
          viewer: { role: 'anonymous', id: '' },
          sees: () => true,
        }),
        term: ({ id }) => `id:${id}`,
        key: ({ id }) => id,
        overflow: 'close',
      }),
    },
  };
}

const before = 'id: ID! count: Int!';
const after = 'id: ID! double: Int!';
const anonymous: Viewer = { role: 'anonymous', id: '' };

describe('a reload of a schema', () => {
  let log: EventLog;
  let gateway: Gateway;

  beforeEach(async () => {
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics([
      { name: sampleTopics.counterDocuments.name, partitions: 2, cleanup: 'compact', retentionMs: 1e9 },
    ]);
    gateway = createGateway({
      bffs: [counterBff(`${before} double: Int!`)],
      log,
      auth: { verify: () => Promise.resolve(anonymous) },
      cursorSecrets: ['a secret of at least thirty-two characters'],
      trustedOnly: false,
      limits: { drainWindowMs: 0 },
    });
    await gateway.start(AbortSignal.timeout(10_000));
  });

  afterEach(async () => {
    await gateway.stop();
    await log.close();
  });

  async function publish(version: number): Promise<void> {
    const data = { id: 'a', count: version };
    const message = createMessage(Counted, {
      id: `a@${version}`,
      key: 'a',
      sequence: version,
      timeMs: 0,
      data,
    });
    await log.append(sampleTopics.counterDocuments.name, [encodeEnvelope(message)]);
  }

  function operation(selection: string, cursor?: string) {
    const query = `subscription { counter(id: "a") { ${selection} } }`;
    return gateway.servers[0]!.liveRequest({ query }, { viewer: anonymous, traceparent: undefined }, cursor);
  }

  const dataOf = (sink: ReturnType<typeof recorder>): unknown[] =>
    sink.received.map(({ data }) => (data as { counter: unknown }).counter);

  it('keeps running subscriptions on the schema they began with', async () => {
    const sink = recorder();
    const request = operation('count');
    const running = gateway.hub.subscribe(request, sink);
    await publish(1);
    await until(() => sink.received.length === 1, { what: 'a change before' });
    gateway.replaceBff(counterBff(after));
    await publish(2);
    await until(() => sink.received.length === 2, { what: 'a change after' });
    running.renew(request.forViewer({ role: 'member', id: 'ann' }));
    await publish(3);
    await until(() => sink.received.length === 3, { what: 'a change under other rights' });
    expect(dataOf(sink)).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }]);
    expect(sink.failure).toBeUndefined();
  });

  it('serves the new schema to new operations', async () => {
    gateway.replaceBff(counterBff(after));
    expect(() => operation('count')).toThrow('does not fit the schema');
    const sink = recorder();
    gateway.hub.subscribe(operation('double'), sink);
    await publish(1);
    await until(() => sink.received.length === 1, { what: 'a change' });
    expect(dataOf(sink)).toEqual([{ double: 2 }]);
    const answer = await gateway.servers[0]!.execute(
      { query: '{ __type(name: "Counter") { fields { name } } }' },
      { viewer: anonymous, traceparent: undefined },
    );
    expect(JSON.stringify(answer)).toContain('double');
  });

  it('shares no group between subscriptions of the same document on different schemas', async () => {
    const [old, young] = [recorder(), recorder()];
    gateway.hub.subscribe(operation('double'), old);
    const groups = gateway.hub.groups;
    gateway.replaceBff({
      ...counterBff(after),
      resolvers: { Counter: { double: ({ count }: { count: number }) => 200 * count } },
    });
    gateway.hub.subscribe(operation('double'), young);
    expect(gateway.hub.groups).toBe(groups + 1);
    await publish(1);
    await until(() => old.received.length + young.received.length === 2, { what: 'a change each' });
    expect([dataOf(old), dataOf(young)]).toEqual([[{ double: 2 }], [{ double: 200 }]]);
  });

  it('keeps cursors valid', async () => {
    const sink = recorder();
    const running = gateway.hub.subscribe(operation('double'), sink);
    await publish(1);
    await until(() => sink.received.length === 1, { what: 'a cursor' });
    running.stop();
    gateway.replaceBff(counterBff(after));
    await publish(2);
    const again = recorder();
    gateway.hub.subscribe(operation('double', sink.received[0]!.cursor), again);
    await until(() => again.received.length === 1, { what: 'what was missed' });
    expect([again.versions(), again.failure]).toEqual([[2], undefined]);
  });

  it.each([
    ['cannot be built', () => counterBff('id: ID! count: Nothing'), 'Nothing'],
    ['is of no BFF here', () => ({ ...counterBff(after), name: 'other' }), 'hosts no BFF other'],
    ['listens to what is not tailed', () => counterBff(after, { ...stream }), 'does not tail counters'],
  ])('changes nothing when the new one %s', (_why, create, message) => {
    expect(() => gateway.replaceBff(create())).toThrow(message);
    expect(() => operation('count double')).not.toThrow();
  });

  it('reloads every BFF that can be read', () => {
    reloadBffs({
      gateway,
      logger: silentLogger,
      readers: [
        () => {
          throw new Error('the file is gone');
        },
        () => counterBff(after),
      ],
    });
    expect(() => operation('count')).toThrow('does not fit the schema');
  });

  it('reloads on SIGHUP until it is stopped', () => {
    const listeners = process.listenerCount('SIGHUP');
    const reload = reloadOnHangup({ gateway, logger: silentLogger, readers: [() => counterBff(after)] });
    process.emit('SIGHUP');
    expect(() => operation('count')).toThrow('does not fit the schema');
    reload.stop();
    expect(process.listenerCount('SIGHUP')).toBe(listeners);
  });
});

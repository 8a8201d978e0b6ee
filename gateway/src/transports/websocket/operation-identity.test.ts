import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { complete, subscribe, type EdgeSocket } from '../edge-socket.fixture.ts';
import { Edge } from '../edge.fixture.ts';

const QUERY = '{ ready }';
const HELD = '{ held }';

describe('an operation id', () => {
  let edge: Edge;

  beforeEach(async () => void (edge = await new Edge({ limits: { maxSubscriptionsPerViewer: 20 } }).start()));
  afterEach(() => edge[Symbol.asyncDispose]());

  const running = (count: number) =>
    until(() => edge.hub.subscriptions === count && edge.hub.groups === Math.min(count, 1), {
      what: `${count} subscriptions`,
    });

  /** Expects that one subscription runs, under id 1, that each change comes once, and that `complete` ends it. */
  async function expectOneSubscription(client: EdgeSocket): Promise<void> {
    await running(1);
    await client.settled();
    const before = client.messages.length;
    const versions = [await edge.publish(), await edge.publish()];
    await until(() => client.counts('1').includes(versions[1]), { what: 'the changes' });
    await client.settled();
    expect(client.counts('1').slice(-2)).toEqual(versions);
    expect(
      client.messages.slice(before).filter(({ type }) => type !== 'pong' && type !== 'ping'),
    ).toHaveLength(2);
    client.send(complete('1'));
    await running(0);
    await edge.publish();
    await client.settled();
    expect(client.counts('1').at(-1)).toBe(versions[1]);
    client.socket.close();
    await edge.released();
  }

  it.each<[string, readonly object[]]>([
    ['complete, subscribe', [complete('1'), subscribe('1')]],
    [
      'complete, subscribe, complete, subscribe',
      [complete('1'), subscribe('1'), complete('1'), subscribe('1')],
    ],
    [
      '100 times complete, subscribe',
      Array.from({ length: 100 }, () => [complete('1'), subscribe('1')]).flat(),
    ],
  ])('is free once complete was received, in one write: subscribe and later %s', async (_title, messages) => {
    const client = await edge.open();
    client.send(subscribe('1'));
    await running(1);
    client.send(...messages);
    await client.settled();
    await expectOneSubscription(client);
  });

  it.each<[string, readonly object[]]>([
    ['subscribe, complete, subscribe', [subscribe('1'), complete('1'), subscribe('1')]],
    [
      '100 times subscribe, complete, then subscribe',
      [...Array.from({ length: 100 }, () => [subscribe('1'), complete('1')]).flat(), subscribe('1')],
    ],
    ['query, complete, subscribe', [subscribe('1', QUERY), complete('1'), subscribe('1')]],
    [
      'a refused document, complete, subscribe',
      [subscribe('1', '{ nothing }'), complete('1'), subscribe('1')],
    ],
    [
      '100 times query, complete, then subscribe',
      [...Array.from({ length: 100 }, () => [subscribe('1', HELD), complete('1')]).flat(), subscribe('1')],
    ],
  ])('is free once complete was received, in one write: %s', async (_title, messages) => {
    const client = await edge.open();
    client.send(...messages);
    await client.settled();
    edge.answerHeld();
    await client.settled();
    expect(client.messages.filter(({ id }) => id !== undefined)).toEqual([]);
    await expectOneSubscription(client);
  });

  it.each([0, 1, 10, 100])('is free after a pause of %i ms before complete and after it', async (pauseMs) => {
    const client = await edge.open();
    for (const message of [subscribe('1'), complete('1'), subscribe('1')]) {
      client.send(message);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await client.settled();
    await expectOneSubscription(client);
  });

  it('drops the late result of a query that was completed while it ran', async () => {
    const client = await edge.open();
    client.send(subscribe('1', HELD));
    await until(() => edge.held === 1, { what: 'the query' });
    client.send(complete('1'), subscribe('1'));
    await running(1);
    edge.answerHeld();
    await client.settled();
    expect(client.messages.filter(({ id }) => id === '1')).toEqual([]);
    await expectOneSubscription(client);
  });

  it('is free once the server has sent complete or error', async () => {
    const client = await edge.open();
    for (const [query, type] of [
      [QUERY, 'complete'],
      ['{ nothing }', 'error'],
      [QUERY, 'complete'],
    ] as const) {
      const before = client.of(type).length;
      client.send(subscribe('1', query));
      await until(() => client.of(type, '1').length > before, { what: type });
    }
    client.send(subscribe('1'));
    await client.settled();
    await expectOneSubscription(client);
  });

  it.each([
    ['a subscription', subscribe('1'), 'subscription'],
    ['a running query', subscribe('1', HELD), 'query'],
  ])('that names %s closes with 4409 when it is used again', async (_title, first) => {
    const client = await edge.open();
    client.send(first);
    await client.settled();
    client.send(subscribe('1'));
    expect(await client.end()).toEqual({ code: 4409, reason: 'Subscriber for 1 already exists' });
    await edge.released();
  });

  it('closes with 4409 when it is used twice in one write', async () => {
    const client = await edge.open();
    client.send(subscribe('1'), subscribe('1'));
    expect((await client.end()).code).toBe(4409);
    await edge.released();
  });

  it('may be any text of up to 128 bytes', async () => {
    const client = await edge.open();
    const ids = ['__proto__', 'constructor', '"', '\u0000', '0', '1', '😀'.repeat(32), 'x'.repeat(128)];
    for (const id of ids) client.send(subscribe(id, QUERY));
    await until(() => client.of('complete').length === ids.length, { what: 'all answers' });
    expect(new Set(client.of('next').map(({ id }) => id))).toEqual(new Set(ids));
    expect(edge.errors).toEqual([]);
  });

  it.each(['x'.repeat(129), '😀'.repeat(33), 'x'.repeat(200_000)])(
    'of more than 128 bytes closes with 4400 and names the bound',
    async (id) => {
      const client = await edge.open();
      client.send(subscribe(id));
      expect(await client.end()).toEqual({ code: 4400, reason: 'An operation id has at most 128 bytes' });
      await edge.released();
      expect(edge.errors).toEqual([]);
    },
  );

  it.each([
    ['documentId', { documentId: 'registered' }],
    ['the persisted query extension', { extensions: { persistedQuery: { sha256Hash: 'registered' } } }],
  ])('needs no query beside a document that is named by %s', async (_title, payload) => {
    const client = await edge.open();
    client.send({ type: 'subscribe', id: '1', payload });
    await expectOneSubscription(client);
  });

  it('that fills the close reason is cut to 123 bytes between two characters', async () => {
    const client = await edge.open();
    const id = 'é'.repeat(60);
    client.send(subscribe(id), subscribe(id));
    const { code, reason } = await client.end();
    expect(code).toBe(4409);
    expect(reason).toBe(`Subscriber for ${'é'.repeat(54)}`);
    expect(edge.errors).toEqual([]);
  });
});

describe('closing a socket releases everything, while its operation', () => {
  let edge: Edge;

  beforeEach(async () => void (edge = await new Edge({ limits: { maxSubscriptionsPerViewer: 20 } }).start()));
  afterEach(() => edge[Symbol.asyncDispose]());

  it.each<[string, readonly object[]]>([
    ['is subscribed', [subscribe('1')]],
    ['was completed in the same write', [subscribe('1'), complete('1')]],
    ['was replaced in the same write', [subscribe('1'), complete('1'), subscribe('1')]],
    ['is a running query', [subscribe('1', HELD)]],
    ['was a running query and is replaced', [subscribe('1', HELD), complete('1'), subscribe('1')]],
    ['was refused', [subscribe('1', '{ nothing }')]],
    ['is used twice', [subscribe('1'), subscribe('1')]],
  ])('%s', async (_title, messages) => {
    for (const end of ['close', 'terminate', 'at once'] as const) {
      const client = await edge.open({ authorization: 'Bearer member.ann' });
      client.send(...messages);
      if (end !== 'at once') await client.settled().catch(() => undefined);
      if (end === 'close') client.socket.close();
      else client.socket.terminate();
      await edge.released();
      edge.answerHeld();
    }
    expect(edge.errors).toEqual([]);
  });

  it('is one of 20 anonymous bursts: the address is not locked out', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await edge.open();
      client.send(subscribe('1'), complete('1'), subscribe('1'));
      client.socket.close();
    }
    await edge.released();
    const client = await edge.open();
    client.send(subscribe('x'));
    await until(() => edge.hub.subscriptions === 1, { what: 'a new subscription' });
    expect(client.of('error')).toEqual([]);
  });

  it('runs and the client has sent its Close frame, although its TCP side stays open', async () => {
    const client = await edge.open();
    client.send(subscribe('1'), subscribe('2', HELD));
    await until(() => edge.hub.subscriptions === 1 && edge.held === 1, { what: 'the operations' });
    client.socket.pause();
    // A masked Close frame without a payload; the client's library does not know of it.
    client.tcp.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
    await until(() => edge.hub.subscriptions === 0, {
      what: 'the end of the subscription',
      timeoutMs: 1_000,
    });
    await edge.released();
  });
});

describe('a message outside the protocol closes with 4400 and logs no error:', () => {
  let edge: Edge;

  beforeEach(async () => void (edge = await new Edge().start()));
  afterEach(() => edge[Symbol.asyncDispose]());

  it.each<[string, object | string]>([
    ['connection_ack', { type: 'connection_ack' }],
    ['next', { type: 'next', id: '1', payload: { data: {} } }],
    ['error', { type: 'error', id: '1', payload: [{ message: 'no' }] }],
    ['an unknown type', { type: 'shout' }],
    ['a type that is no text', { type: 7 }],
    ['a type that every object has', { type: 'constructor' }],
    ['no type', { id: '1' }],
    ['no object', '[]'],
    ['null', 'null'],
    ['invalid JSON', '{"type":'],
    ['nothing', ''],
    ['a binary frame', Buffer.from('{"type":"ping"}')],
    ['an empty id', subscribe('')],
    ['a numeric id', subscribe(1)],
    ['a null id', subscribe(null)],
    ['complete without an id', { type: 'complete' }],
    ['complete with an empty id', { type: 'complete', id: '' }],
    ['a long id of complete', { type: 'complete', id: 'x'.repeat(129) }],
    ['a payload that is no object', { type: 'subscribe', id: '1', payload: 'text' }],
    ['a query that is no text', { type: 'subscribe', id: '1', payload: { query: 1 } }],
    ['no query', { type: 'subscribe', id: '1', payload: {} }],
    ['variables that are a list', { type: 'subscribe', id: '1', payload: { query: QUERY, variables: [] } }],
    ['a ping with a list', { type: 'ping', payload: [] }],
  ])('%s', async (_title, message) => {
    const client = await edge.open();
    client.send(subscribe('live'));
    await until(() => edge.hub.subscriptions === 1, { what: 'the subscription' });
    client.send(message);
    expect((await client.end()).code).toBe(4400);
    await edge.released();
    expect(edge.errors).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { GatewayFixture } from './gateway.fixture.ts';
import { createLiveClient, type LiveClient, type LiveClientOptions, type Phase } from './index.ts';

let gateway: GatewayFixture;
let client: LiveClient | undefined;
let phases: Phase[];

beforeEach(async () => {
  gateway = new GatewayFixture();
  await gateway.listen();
  phases = [];
});

afterEach(async () => {
  client?.close();
  await gateway.close();
});

function connect(options: Partial<LiveClientOptions> = {}): LiveClient {
  client = createLiveClient({
    url: gateway.url,
    token: () => Promise.resolve('secret'),
    backoff: { firstMs: 5, maxMs: 20 },
    settleMs: 30,
    onPhase: (phase) => phases.push(phase),
    ...options,
  });
  return client;
}

/** Subscribes and collects `key@version`. */
function collect(from: LiveClient, query = 'subscription { changes }') {
  const seen: string[] = [];
  const resets: string[] = [];
  const ends: string[] = [];
  const unsubscribe = from.subscribe({
    query,
    onResult: ({ extensions }) => seen.push(`${extensions?.key}@${extensions?.version}`),
    onReset: (reason) => resets.push(reason),
    onError: (error) => ends.push(error.code),
    onComplete: () => ends.push('complete'),
  });
  return { seen, resets, ends, unsubscribe };
}

const asked = (times: number) => () => gateway.cursorsSeen.length >= times;

describe('a live client', () => {
  it('sends the bearer token with the connection and hands over each result in order', async () => {
    const { seen } = collect(connect());
    await until(asked(1), { what: 'the subscription is made' });
    gateway.publish('a', 1);
    gateway.publish('a', 2);
    await until(() => seen.length === 2, { what: 'both changes' });
    expect(seen).toEqual(['a@1', 'a@2']);
    expect(gateway.authorizations).toEqual(['Bearer secret']);
    expect(phases).toEqual(['connecting', 'live']);
  });

  it('uses one connection for all subscriptions', async () => {
    const live = connect();
    const all = [collect(live), collect(live), collect(live)];
    await until(asked(3), { what: 'three subscriptions' });
    gateway.publish('a', 1);
    await until(() => all.every(({ seen }) => seen.length === 1), { what: 'each has the change' });
    expect(gateway.connections).toBe(1);
    expect(gateway.authorizations).toHaveLength(1);
  });

  it.each([undefined, 1000, 1001, 1012, 4508, 4509, 4503])(
    'comes back with its cursor after the connection ended with close code %s: nothing missing, nothing twice',
    async (closeCode) => {
      const { seen, resets } = collect(connect());
      await until(asked(1), { what: 'the subscription is made' });
      gateway.publish('a', 1);
      gateway.publish('b', 1);
      await until(() => seen.length === 2, { what: 'what came before' });
      gateway.drop(closeCode);
      gateway.publish('a', 2);
      gateway.publish('b', 2);
      await until(() => seen.length === 4, { what: 'what happened meanwhile' });
      gateway.publish('a', 3);
      await until(() => seen.length === 5, { what: 'what came after' });
      expect(seen).toEqual(['a@1', 'b@1', 'a@2', 'b@2', 'a@3']);
      expect(gateway.cursorsSeen).toEqual([undefined, '2']);
      expect(resets).toEqual([]);
    },
  );

  it('loses and repeats nothing when connections are cut again and again under load', async () => {
    const live = connect();
    const { seen } = collect(live);
    await until(asked(1), { what: 'the subscription is made' });
    gateway.publish('k0', 1);
    await until(() => seen.length === 1, { what: 'a first cursor' });
    for (let round = 0; round < 15; round++) {
      for (let index = 0; index < 20; index++) gateway.publish(`k${index}`, round + 2);
      gateway.drop();
      const tries = gateway.cursorsSeen.length;
      await until(asked(tries + 1), { what: 'it is back' });
    }
    await until(() => seen.length >= gateway.log.length, { what: 'everything' });
    expect(seen).toEqual(gateway.log.map(({ key, version }) => `${key}@${version}`));
  });

  it('is offline while it waits, connecting while it tries, catching up until it is quiet, then live', async () => {
    const { seen } = collect(connect());
    await until(asked(1), { what: 'the subscription is made' });
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'a cursor' });
    gateway.drop();
    gateway.publish('a', 2);
    await until(() => phases.at(-1) === 'live' && phases.length > 3, { what: 'live again' });
    expect(phases).toEqual(['connecting', 'live', 'offline', 'connecting', 'catching-up', 'live']);
  });

  it.each(['CURSOR_EXPIRED', 'CURSOR_INVALID', 'CURSOR_FOREIGN'])(
    'forgets a cursor refused with %s, says so, and goes on from now',
    async (code) => {
      const { seen, resets, ends } = collect(connect());
      await until(asked(1), { what: 'the subscription is made' });
      gateway.publish('a', 5);
      await until(() => seen.length === 1, { what: 'a cursor' });
      gateway.refuseCursorWith = code;
      gateway.drop();
      await until(asked(3), { what: 'refused, then asked afresh' });
      // The log may have begun anew: a lower version is no repeat now.
      gateway.publish('a', 1);
      await until(() => seen.length === 2, { what: 'what comes after' });
      expect(gateway.cursorsSeen).toEqual([undefined, '1', undefined]);
      expect(resets).toEqual([code]);
      expect(seen).toEqual(['a@5', 'a@1']);
      expect(ends).toEqual([]);
    },
  );

  it('says NO_CURSOR when the connection went away before the first result', async () => {
    const { resets } = collect(connect());
    await until(asked(1), { what: 'the subscription is made' });
    gateway.drop();
    await until(() => resets.length > 0, { what: 'it is said' });
    expect(asked(2)()).toBe(true);
    expect(resets).toEqual(['NO_CURSOR']);
  });

  it('ends a subscription that is refused for good and keeps the others', async () => {
    const live = connect();
    const good = collect(live);
    const bad = collect(live, 'subscription { forbidden }');
    await until(() => bad.ends.length > 0, { what: 'the refusal' });
    gateway.publish('a', 1);
    await until(() => good.seen.length === 1, { what: 'the other goes on' });
    expect(bad.ends).toEqual(['FORBIDDEN']);
  });

  it('tells the end of a subscription that says one thing', async () => {
    const { seen, ends } = collect(connect(), 'subscription { once }');
    await until(() => ends.length > 0, { what: 'the end' });
    expect(seen).toEqual(['once@1']);
    expect(ends).toEqual(['complete']);
  });

  it('hears nothing after unsubscribing, also after a reconnect', async () => {
    const live = connect();
    const stays = collect(live);
    const goes = collect(live);
    await until(asked(2), { what: 'both subscriptions' });
    goes.unsubscribe();
    gateway.publish('a', 1);
    await until(() => stays.seen.length === 1, { what: 'the one that stays' });
    gateway.drop();
    gateway.publish('a', 2);
    await until(() => stays.seen.length === 2, { what: 'the one that stays, again' });
    expect(goes.seen).toEqual([]);
    expect(gateway.cursorsSeen).toEqual([undefined, undefined, '1']);
  });

  it('asks for a new token after close code 4401', async () => {
    const refreshes: boolean[] = [];
    const live = connect({
      token: ({ refresh }) => {
        refreshes.push(refresh);
        return Promise.resolve('secret');
      },
    });
    gateway.closeNextConnectionWith = 4401;
    collect(live);
    await until(asked(1), { what: 'let in at the second try' });
    expect(refreshes).toEqual([false, true]);
  });

  it('does not come back after a close code that forbids it, and ends every subscription', async () => {
    gateway.closeNextConnectionWith = 4400;
    const live = connect();
    const { ends } = collect(live);
    await until(() => ends.length > 0, { what: 'the end' });
    const late = collect(live);
    await until(() => late.ends.length > 0, { what: 'the end of one that came late' });
    expect([ends, late.ends]).toEqual([['BAD_REQUEST'], ['BAD_REQUEST']]);
    expect(gateway.authorizations).toHaveLength(1);
    expect(live.phase).toBe('offline');
  });

  it('keeps trying while nobody listens, and is live once somebody does', async () => {
    const { port } = gateway;
    await gateway.close();
    const { seen } = collect(connect());
    await until(() => phases.filter((phase) => phase === 'offline').length >= 2, {
      what: 'two failed tries',
    });
    gateway = new GatewayFixture();
    await gateway.listen(port);
    await until(asked(1), { what: 'the subscription is made' });
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change' });
  });

  it('leaves no connection behind when closed', async () => {
    const live = connect();
    collect(live);
    await until(asked(1), { what: 'the subscription is made' });
    live.close();
    await until(() => gateway.connections === 0, { what: 'no connection' });
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a query', () => {
  it('carries the token and the variables', async () => {
    const result = await connect().query({ query: 'query Q { ok }', variables: { a: 1 } });
    expect(result.data).toEqual({ ok: true });
    expect(gateway.queries[0]?.authorization).toBe('Bearer secret');
    expect(JSON.parse(gateway.queries[0]?.body ?? '')).toEqual({
      query: 'query Q { ok }',
      variables: { a: 1 },
    });
  });

  it('renews a refused token once', async () => {
    gateway.answerQueries = (request, response) => {
      const good = request.headers.authorization === 'Bearer new';
      const refused = '{"errors":[{"message":"expired","extensions":{"code":"TOKEN_EXPIRED"}}]}';
      response.statusCode = good ? 200 : 401;
      response.end(good ? '{"data":{"ok":true}}' : refused);
    };
    const live = connect({ token: ({ refresh }) => Promise.resolve(refresh ? 'new' : 'old') });
    await expect(live.query({ query: '{ ok }' })).resolves.toMatchObject({ data: { ok: true } });
  });

  it.each([
    [400, '{"errors":[{"message":"no","extensions":{"code":"BAD_USER_INPUT"}}]}', 'BAD_USER_INPUT'],
    [502, '<html>bad gateway</html>', 'UNAVAILABLE'],
    [200, '<html>a login page</html>', 'BAD_RESPONSE'],
  ])('answered with %i %s fails with %s', async (status, body, code) => {
    gateway.answerQueries = (_, response) => {
      response.statusCode = status;
      response.end(body);
    };
    await expect(connect().query({ query: '{ ok }' })).rejects.toMatchObject({ code });
  });

  it('fails with TIMEOUT when no answer comes, with NETWORK when nobody listens', async () => {
    gateway.answerQueries = () => {};
    const live = connect({ queryTimeoutMs: 40 });
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    await gateway.close();
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'NETWORK', retryable: true });
  });
});

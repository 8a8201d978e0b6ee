import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { GatewayFixture } from './gateway.fixture.ts';
import { createLiveClient, type LiveClient, type LiveClientOptions, type Phase } from './index.ts';

let gateway: GatewayFixture;
let client: LiveClient | undefined;
let phases: Phase[];

beforeEach(async () => {
  gateway = new GatewayFixture();
  gateway.tellsPositions = true;
  await gateway.listen();
  phases = [];
});

afterEach(async () => {
  client?.close();
  await gateway.close();
});

/** With a settle time so long that only a position can make it live. */
function connect(options: Partial<LiveClientOptions> = {}): LiveClient {
  client = createLiveClient({
    url: gateway.url,
    token: () => Promise.resolve('secret'),
    backoff: { firstMs: 5, maxMs: 20 },
    settleMs: 600_000,
    onPhase: (phase) => phases.push(phase),
    ...options,
  });
  return client;
}

function collect(from: LiveClient, query = 'subscription { changes }') {
  const seen: string[] = [];
  const ends: string[] = [];
  const unsubscribe = from.subscribe({
    query,
    onResult: ({ extensions }) => seen.push(`${extensions?.key}@${extensions?.version}`),
    onReset: (reason) => seen.push(reason),
    onError: (error) => ends.push(error.code),
    onComplete: () => ends.push('complete'),
  });
  return { seen, ends, unsubscribe };
}

const live = () => until(() => client?.phase === 'live', { what: 'live' });
const connected = (times: number) =>
  until(() => gateway.authorizations.length >= times, { what: 'connected' });

/** A token as a gateway issues it, that ends after so many milliseconds; nobody verifies it here. */
function tokenFor(lifetimeMs: number, name: string): string {
  const payload = Buffer.from(JSON.stringify({ sub: name, exp: (Date.now() + lifetimeMs) / 1_000 }));
  return `h.${payload.toString('base64url')}.s`;
}

const ways = [
  { way: 'a WebSocket', options: {} },
  { way: 'an event stream', options: { fallbackAfter: 0, webSocketRetryMs: Infinity } },
];

describe.each(ways)('over $way', ({ options }) => {
  it('is live when the server says where the subscription is, first and after a resume', async () => {
    const { seen } = collect(connect(options));
    await live();
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change' });
    gateway.drop();
    gateway.publish('a', 2);
    await until(() => seen.length === 2 && phases.length > 3, { what: 'what was missed' });
    await live();
    expect(phases.slice(-4)).toEqual(['offline', 'connecting', 'catching-up', 'live']);
    expect(seen).toEqual(['a@1', 'a@2']);
  });

  it('comes back with the cursor it was told, also when nothing had happened yet', async () => {
    const { seen } = collect(connect(options));
    await live();
    gateway.drop();
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'what was missed' });
    expect(seen).toEqual(['a@1']);
    expect(gateway.cursorsSeen).toEqual([undefined, '0']);
  });

  it.each(['CURSOR_EXPIRED', 'CURSOR_INVALID', 'CURSOR_FOREIGN'])(
    'says %s when it is live again, and goes on from there',
    async (code) => {
      const { seen, ends } = collect(connect(options));
      await live();
      gateway.refuseCursorWith = code;
      gateway.drop();
      await until(() => seen.length === 1, { what: 'the reset' });
      gateway.publish('a', 1);
      await until(() => seen.length === 2, { what: 'what comes after' });
      expect(seen).toEqual([code, 'a@1']);
      expect(ends).toEqual([]);
    },
  );

  it('says VERSION_GAP and starts afresh', async () => {
    const { seen } = collect(connect(options));
    await live();
    gateway.endWith('VERSION_GAP');
    await until(() => seen.length === 1, { what: 'the reset' });
    gateway.publish('a', 7);
    await until(() => seen.length === 2, { what: 'what comes after' });
    expect(seen).toEqual(['VERSION_GAP', 'a@7']);
    expect(gateway.cursorsSeen).toEqual([undefined, undefined]);
  });

  it('ends a subscription that is refused for good or complete, and keeps the others', async () => {
    const from = connect(options);
    const good = collect(from);
    const bad = collect(from, 'subscription { forbidden }');
    const once = collect(from, 'subscription { once }');
    await until(() => bad.ends.length + once.ends.length === 2, { what: 'both ends' });
    await live();
    gateway.publish('a', 1);
    await until(() => good.seen.length === 1, { what: 'the other goes on' });
    expect([bad.ends, once.ends, once.seen, good.ends]).toEqual([
      ['FORBIDDEN'],
      ['complete'],
      ['once@1'],
      [],
    ]);
  });

  it('gives up a connection that says nothing any more, and comes back', async () => {
    const { seen } = collect(connect({ ...options, heartbeatMs: 60 }));
    await live();
    gateway.freeze();
    await until(() => phases.includes('offline'), { what: 'the silence is noticed' });
    gateway.isFrozen = false;
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'what was missed' });
    expect(seen).toEqual(['a@1']);
  });

  it('ends with UNAUTHENTICATED when a new token is refused as well', async () => {
    gateway.refusedTokens.add('old').add('new');
    const asked: boolean[] = [];
    const token = ({ refresh }: { refresh: boolean }) => {
      asked.push(refresh);
      return Promise.resolve(refresh ? 'new' : 'old');
    };
    const { ends } = collect(connect({ ...options, token }));
    await until(() => ends.length > 0, { what: 'the end' });
    expect(ends).toEqual(['UNAUTHENTICATED']);
    expect(asked).toEqual([false, true]);
  });

  it('asks for another token when one is refused', async () => {
    gateway.refusedTokens.add('old');
    collect(connect({ ...options, token: ({ refresh }) => Promise.resolve(refresh ? 'new' : 'old') }));
    await live();
  });
});

describe('a token', () => {
  it('is renewed in band before its end, and the stream never notices', async () => {
    const tokens: string[] = [];
    const token = () => {
      tokens.push(tokenFor(tokens.length < 2 ? 300 : 600_000, `t${tokens.length}`));
      return Promise.resolve(tokens.at(-1)!);
    };
    const { seen } = collect(connect({ token }));
    await live();
    await until(() => gateway.renewals.length === 2, { what: 'renewed, and again' });
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change' });
    expect(gateway.renewals).toEqual(tokens.slice(1).map((each) => `Bearer ${each}`));
    expect(gateway.authorizations).toHaveLength(1);
    expect(phases).toEqual(['connecting', 'live']);
  });

  it('ends when the server says so, whatever it claims itself', async () => {
    gateway.renewedUntil = new Date(Date.now() + 600).toISOString();
    let issued = 0;
    const token = () => Promise.resolve(tokenFor(issued++ === 0 ? 200 : 600_000, `t${issued}`));
    collect(connect({ token }));
    await until(() => gateway.renewals.length >= 2, { what: 'renewed again after the time of the pong' });
    expect(gateway.authorizations).toHaveLength(1);
  });

  it('is fetched again when fetching it failed, as long as the one in use lasts', async () => {
    let issued = 0;
    const token = () => {
      issued += 1;
      if (issued === 2) return Promise.reject(new Error('the issuer is away'));
      return Promise.resolve(tokenFor(issued === 1 ? 6_000 : 600_000, `t${issued}`));
    };
    collect(connect({ token }));
    await until(() => gateway.renewals.length === 1, { what: 'renewed at the second try' });
    expect(phases).toEqual(['connecting', 'live']);
  });

  it('is shown anew by event streams that go on after their cursor', async () => {
    const tokens: string[] = [];
    const token = () => {
      tokens.push(tokenFor(tokens.length === 0 ? 300 : 600_000, `t${tokens.length}`));
      return Promise.resolve(tokens.at(-1)!);
    };
    const { seen } = collect(connect({ token, fallbackAfter: 0, webSocketRetryMs: Infinity }));
    await live();
    await until(() => gateway.streamAuthorizations.length === 2, { what: 'the stream is opened again' });
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change' });
    expect(gateway.streamAuthorizations).toEqual(tokens.map((each) => `Bearer ${each}`));
    expect(phases).not.toContain('offline');
    expect(seen).toEqual(['a@1']);
  });
});

describe('where WebSockets do not get through', () => {
  it('streams events after so many tries, and moves to a WebSocket once one gets through', async () => {
    gateway.blocksUpgrades = true;
    const from = connect({ fallbackAfter: 2, webSocketRetryMs: 20 });
    const { seen } = collect(from);
    await live();
    expect(from.transport).toBe('sse');
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change, streamed' });
    gateway.blocksUpgrades = false;
    await until(() => from.transport === 'websocket', { what: 'a WebSocket' });
    gateway.publish('a', 2);
    await until(() => seen.length === 2, { what: 'the change by WebSocket' });
    await until(() => gateway.connections === 1, { what: 'no stream is left' });
    expect(seen).toEqual(['a@1', 'a@2']);
    expect(phases.filter((phase) => phase === 'offline')).toHaveLength(1);
  });

  it('stays with the stream when that is cut: it is what gets through', async () => {
    gateway.blocksUpgrades = true;
    const from = connect({ fallbackAfter: 1, webSocketRetryMs: 600_000 });
    const { seen } = collect(from);
    await live();
    gateway.drop();
    gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'what was missed' });
    expect([from.transport, gateway.upgradesSeen]).toEqual(['sse', 1]);
  });

  it('does not stream because a server was away for a while', async () => {
    const { port } = gateway;
    await gateway.close();
    const from = connect({ fallbackAfter: 1 });
    collect(from);
    await until(() => phases.filter((phase) => phase === 'offline').length >= 4, { what: 'four tries' });
    gateway = new GatewayFixture();
    gateway.tellsPositions = true;
    await gateway.listen(port);
    await live();
    expect([from.transport, gateway.streamAuthorizations]).toEqual(['websocket', []]);
  });

  it('does not stream because no token can be had', async () => {
    let tries = 0;
    const token = () =>
      ++tries < 5 ? Promise.reject(new Error('the issuer is away')) : Promise.resolve('secret');
    const from = connect({ fallbackAfter: 1, token });
    collect(from);
    await live();
    expect([from.transport, gateway.streamAuthorizations]).toEqual(['websocket', []]);
  });

  it('opens no more streams than it may; the next begins when one ends', async () => {
    const from = connect({ fallbackAfter: 0, webSocketRetryMs: Infinity, maxStreams: 2 });
    const all = [collect(from), collect(from), collect(from)];
    await live();
    await until(() => gateway.connections === 2, { what: 'two streams' });
    all[0]?.unsubscribe();
    await until(() => gateway.cursorsSeen.length === 3, { what: 'the third' });
    gateway.publish('a', 1);
    await until(() => all[2]?.seen.length === 1, { what: 'its change' });
    expect(all.map(({ seen }) => seen.length)).toEqual([0, 1, 1]);
  });

  it('leaves nothing behind when closed, and does not look for a WebSocket any more', async () => {
    gateway.blocksUpgrades = true;
    const from = connect({ fallbackAfter: 1, webSocketRetryMs: 20 });
    collect(from);
    await live();
    const tried = gateway.upgradesSeen;
    await until(() => gateway.upgradesSeen > tried, { what: 'it looks for one' });
    from.close();
    await until(() => gateway.connections === 0, { what: 'no connection' });
  });
});

it('waits longer after close code 4429', async () => {
  gateway.closeNextConnectionWith = 4429;
  const waits: number[] = [];
  connect({
    afterAWhileMs: 50,
    onPhase: (phase, { retryInMs }) => {
      if (phase === 'offline') waits.push(retryInMs ?? -1);
    },
  });
  collect(client!);
  await connected(2);
  expect(waits[0]).toBeGreaterThanOrEqual(50);
});

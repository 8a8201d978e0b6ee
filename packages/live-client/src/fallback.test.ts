import { describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { collect, useClientFixture } from './client.fixture.ts';

/** The settle time is so long that only an idle cursor makes the client live. */
describe.each(['each', 'shared'] as const)('the fallback to event streams (%s)', (streams) => {
  const fixture = useClientFixture({ settleMs: 600_000, streams }, { sendsIdleCursors: true });

  it('begins after fallbackAfterFailures attempts, and ends once a WebSocket gets through', async () => {
    fixture.gateway.blocksUpgrades = true;
    const client = fixture.connect({ fallbackAfterFailures: 2, webSocketRetryMs: 20 });
    const { log } = collect(client);
    await fixture.untilLive();
    expect(client.transport).toBe('sse');
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the change, streamed' });
    fixture.gateway.blocksUpgrades = false;
    await until(() => client.transport === 'websocket', { what: 'a WebSocket' });
    fixture.gateway.publish('a', 2);
    await until(() => log.length === 2, { what: 'the change by WebSocket' });
    await until(() => fixture.gateway.connections === 1, { what: 'no stream is left' });
    expect(log).toEqual(['a@1', 'a@2']);
    expect(fixture.phases.filter((phase) => phase === 'offline')).toHaveLength(1);
  });

  it('continues after a cut stream, without another WebSocket attempt', async () => {
    fixture.gateway.blocksUpgrades = true;
    const client = fixture.connect({ fallbackAfterFailures: 1, webSocketRetryMs: 600_000 });
    const { log } = collect(client);
    await fixture.untilLive();
    fixture.gateway.drop();
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the missed change' });
    expect([client.transport, fixture.gateway.upgradesSeen]).toEqual(['sse', 1]);
  });

  it('does not begin when the server was down for a while', async () => {
    const { port } = fixture.gateway;
    await fixture.gateway.close();
    // Only `retryNow` makes an attempt: one that runs while the server starts may find it by the stream alone.
    const client = fixture.connect({ fallbackAfterFailures: 1, backoff: { firstMs: 1e9, maxMs: 1e9 } });
    collect(client);
    for (let failed = 1; failed <= 4; failed++) {
      const attempts = (): number => fixture.phases.filter((phase) => phase === 'offline').length;
      await until(() => attempts() === failed, { what: `failed attempt ${failed}` });
      if (failed < 4) client.retryNow();
    }
    await fixture.replaceGateway(true, port);
    client.retryNow();
    await fixture.untilLive();
    expect([client.transport, fixture.gateway.streamAuthorizations]).toEqual(['websocket', []]);
  });

  it('does not begin when the token provider fails', async () => {
    let attempts = 0;
    const token = () =>
      ++attempts < 5 ? Promise.reject(new Error('the issuer is down')) : Promise.resolve('secret');
    const client = fixture.connect({ fallbackAfterFailures: 1, token });
    collect(client);
    await fixture.untilLive();
    expect([client.transport, fixture.gateway.streamAuthorizations]).toEqual(['websocket', []]);
  });

  it('leaves no stream and no WebSocket probe behind after close', async () => {
    fixture.gateway.blocksUpgrades = true;
    const client = fixture.connect({ fallbackAfterFailures: 1, webSocketRetryMs: 20 });
    collect(client);
    await fixture.untilLive();
    const attempts = fixture.gateway.upgradesSeen;
    await until(() => fixture.gateway.upgradesSeen > attempts, { what: 'a WebSocket probe' });
    client.close();
    await until(() => fixture.gateway.connections === 0, { what: 'no connection' });
  });
});

describe('one event stream for all subscriptions', () => {
  const fixture = useClientFixture(
    { settleMs: 600_000, streams: 'shared', fallbackAfterFailures: 0, webSocketRetryMs: Infinity },
    { sendsIdleCursors: true },
  );

  it('carries as many as there are, and stops each by itself', async () => {
    const client = fixture.connect();
    const all = Array.from({ length: 9 }, () => collect(client));
    await fixture.untilSubscribed(9);
    await fixture.untilLive();
    fixture.gateway.publish('a', 1);
    await until(() => all.every(({ log }) => log.length === 1), { what: 'the change at all nine' });
    expect(fixture.gateway.connections).toBe(1);
    all[0]!.unsubscribe();
    await until(() => fixture.gateway.shared.operations === 8, { what: 'the end of one' });
    fixture.gateway.publish('a', 2);
    await until(() => all.slice(1).every(({ log }) => log.length === 2), { what: 'the change at eight' });
    expect(all[0]!.log).toEqual(['a@1']);
  });

  it('stops a subscription that ends before it was accepted', async () => {
    const client = fixture.connect();
    collect(client);
    await fixture.untilLive();
    collect(client).unsubscribe();
    await fixture.untilSubscribed(2);
    await until(() => fixture.gateway.shared.operations === 1, { what: 'the first only' });
  });

  it('reports the errors of one subscription to it alone', async () => {
    const client = fixture.connect();
    const [running, refused, once] = [
      collect(client),
      collect(client, 'subscription { forbidden }'),
      collect(client, 'subscription { once }'),
    ];
    await until(() => refused.ends.length + once.ends.length === 2, { what: 'two ends' });
    fixture.gateway.publish('a', 1);
    await until(() => running.log.length === 1, { what: 'the change' });
    expect([refused.ends, once.ends, running.ends]).toEqual([['FORBIDDEN'], ['complete'], []]);
  });

  it('presents a renewed token on the same stream', async () => {
    let tokens = 0;
    const soon = (): number => Math.floor(Date.now() / 1_000) + 2;
    const token = (): Promise<string> =>
      Promise.resolve(`${(tokens += 1)}.${btoa(JSON.stringify({ exp: soon() + tokens }))}.x`);
    const client = fixture.connect({ token });
    collect(client);
    await fixture.untilLive();
    const { shared } = fixture.gateway;
    await until(() => shared.authorizations.some((value) => value?.startsWith('Bearer 2.')), {
      what: 'the second token',
    });
    expect([fixture.gateway.connections, fixture.gateway.cursorsSeen.length]).toEqual([1, 1]);
  });

  it('asks for a new token when the server refuses the first', async () => {
    fixture.gateway.refusedTokens.add('old');
    const client = fixture.connect({ token: ({ refresh }) => Promise.resolve(refresh ? 'new' : 'old') });
    const { log } = collect(client);
    await fixture.untilLive();
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the change' });
  });

  it('gives way to a stream for each where a load balancer divides its requests', async () => {
    fixture.gateway.shared.isDivided = true;
    const client = fixture.connect();
    const all = [collect(client), collect(client)];
    await fixture.untilSubscribed(2);
    await fixture.untilLive();
    fixture.gateway.publish('a', 1);
    await until(() => all.every(({ log }) => log.length === 1), { what: 'the change at both' });
    expect(fixture.gateway.streamAuthorizations.length).toBeGreaterThanOrEqual(2);
  });
});

import { describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { collect, useClientFixture } from './client.fixture.ts';

/** The settle time is so long that only an idle cursor makes the client live. */
const fixture = useClientFixture({ settleMs: 600_000 }, { sendsIdleCursors: true });

describe('the fallback to event streams', () => {
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
    const client = fixture.connect({ fallbackAfterFailures: 1 });
    collect(client);
    await until(() => fixture.phases.filter((phase) => phase === 'offline').length >= 4, {
      what: 'four failed attempts',
    });
    await fixture.replaceGateway(true, port);
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

  it('opens at most maxStreams streams; a waiting subscription starts when one ends', async () => {
    const client = fixture.connect({ fallbackAfterFailures: 0, webSocketRetryMs: Infinity, maxStreams: 2 });
    const all = [collect(client), collect(client), collect(client)];
    await fixture.untilLive();
    await until(() => fixture.gateway.connections === 2, { what: 'two streams' });
    all[0]?.unsubscribe();
    await until(() => fixture.gateway.cursorsSeen.length === 3, { what: 'the third' });
    fixture.gateway.publish('a', 1);
    await until(() => all[2]?.log.length === 1, { what: 'its change' });
    expect(all.map(({ log }) => log.length)).toEqual([0, 1, 1]);
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

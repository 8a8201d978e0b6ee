import { afterEach, describe, expect, it, vi } from 'vitest';
import { until } from '@tidegate/testing';
import { collect, useClientFixture } from './client.fixture.ts';
import { LiveClientError } from './live-client-error.ts';

/** The settle time is so long that only an idle cursor makes the client live. */
const fixture = useClientFixture({ settleMs: 600_000 }, { sendsIdleCursors: true });

afterEach(() => {
  vi.unstubAllGlobals();
});

const transports = [
  { name: 'a WebSocket', options: {} },
  { name: 'an event stream', options: { fallbackAfterFailures: 0, webSocketRetryMs: Infinity } },
];

describe.each(transports)('over $name', ({ options }) => {
  it('is live once the server sends the cursor of an idle subscription, at first and after a resume', async () => {
    const { log } = collect(fixture.connect(options));
    await fixture.untilLive();
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the change' });
    fixture.gateway.drop();
    fixture.gateway.publish('a', 2);
    await until(() => log.length === 2 && fixture.phases.length > 3, { what: 'the missed change' });
    await fixture.untilLive();
    expect(fixture.phases.slice(-4)).toEqual(['offline', 'connecting', 'catching-up', 'live']);
    expect(log).toEqual(['a@1', 'a@2']);
  });

  it('resumes after the cursor of an idle subscription, also before the first change', async () => {
    const { log } = collect(fixture.connect(options));
    await fixture.untilLive();
    fixture.gateway.drop();
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the missed change' });
    expect(log).toEqual(['a@1']);
    expect(fixture.gateway.cursorsSeen).toEqual([undefined, '0']);
  });

  it.each(['CURSOR_EXPIRED', 'CURSOR_INVALID', 'CURSOR_FOREIGN'])(
    'reports %s once it is live again, and continues from there',
    async (code) => {
      const { log, ends } = collect(fixture.connect(options));
      await fixture.untilLive();
      fixture.gateway.refuseCursorWith = code;
      fixture.gateway.drop();
      await until(() => log.length === 1, { what: 'the reset' });
      fixture.gateway.publish('a', 1);
      await until(() => log.length === 2, { what: 'the next change' });
      expect(log).toEqual([code, 'a@1']);
      expect(ends).toEqual([]);
    },
  );

  it('reports VERSION_GAP and subscribes without a cursor', async () => {
    const { log } = collect(fixture.connect(options));
    await fixture.untilLive();
    fixture.gateway.endWith('VERSION_GAP');
    await until(() => log.length === 1, { what: 'the reset' });
    fixture.gateway.publish('a', 7);
    await until(() => log.length === 2, { what: 'the next change' });
    expect(log).toEqual(['VERSION_GAP', 'a@7']);
    expect(fixture.gateway.cursorsSeen).toEqual([undefined, undefined]);
  });

  it('ends a subscription that is refused for good or complete, and keeps the others live', async () => {
    const client = fixture.connect(options);
    const good = collect(client);
    const bad = collect(client, 'subscription { forbidden }');
    const once = collect(client, 'subscription { once }');
    await until(() => bad.ends.length + once.ends.length === 2, { what: 'both ends' });
    await fixture.untilLive();
    fixture.gateway.publish('a', 1);
    await until(() => good.log.length === 1, { what: 'the change of the other subscription' });
    expect([bad.ends, once.ends, once.log, good.ends]).toEqual([['FORBIDDEN'], ['complete'], ['once@1'], []]);
  });

  it('terminates a connection after two silent heartbeats, and reconnects', async () => {
    const { log } = collect(fixture.connect({ ...options, heartbeatMs: 60 }));
    await fixture.untilLive();
    fixture.gateway.freeze();
    await until(() => fixture.phases.includes('offline'), { what: 'the silence is noticed' });
    fixture.gateway.isFrozen = false;
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the missed change' });
    expect(log).toEqual(['a@1']);
  });

  it('ends with UNAUTHENTICATED when the server refuses the refreshed token as well', async () => {
    fixture.gateway.refusedTokens.add('old').add('new');
    const refreshes: boolean[] = [];
    const token = ({ refresh }: { refresh: boolean }) => {
      refreshes.push(refresh);
      return Promise.resolve(refresh ? 'new' : 'old');
    };
    const { ends } = collect(fixture.connect({ ...options, token }));
    await until(() => ends.length > 0, { what: 'the end' });
    expect(ends).toEqual(['UNAUTHENTICATED']);
    expect(refreshes).toEqual([false, true]);
  });

  it('waits for a new sign-in where signedOut is "wait", and continues after its cursor', async () => {
    let current = 'valid';
    const token = () => Promise.resolve(current);
    const client = fixture.connect({ ...options, token, signedOut: 'wait' });
    const { log, ends } = collect(client);
    await fixture.untilLive();
    fixture.gateway.refusedTokens.add('valid');
    fixture.gateway.drop();
    await until(() => fixture.signedOut, { what: 'the client is signed out' });
    fixture.gateway.publish('a', 1);
    current = 'new';
    client.retryNow();
    await until(() => log.length === 1, { what: 'the missed change' });
    expect([log, ends]).toEqual([['a@1'], []]);
  });

  it('takes UNAUTHENTICATED of the token provider for the end of the sign-in, other errors not', async () => {
    const errors = [
      new Error('the issuer is down'),
      new LiveClientError('UNAUTHENTICATED', 'Sign in again.'),
    ];
    const token = () => {
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve('secret');
    };
    const client = fixture.connect({ ...options, token, signedOut: 'wait' });
    collect(client);
    await until(() => fixture.signedOut, { what: 'the client is signed out' });
    expect(errors).toEqual([]);
    client.retryNow();
    await fixture.untilLive();
  });

  it('is offline as soon as the device reports it, and connects again when it is online', async () => {
    const device = new EventTarget();
    vi.stubGlobal('addEventListener', device.addEventListener.bind(device));
    vi.stubGlobal('removeEventListener', device.removeEventListener.bind(device));
    const { log } = collect(fixture.connect({ ...options, backoff: { firstMs: 5, maxMs: 600_000 } }));
    await fixture.untilLive();
    device.dispatchEvent(new Event('offline'));
    expect(fixture.phases.at(-1)).toBe('offline');
    fixture.gateway.publish('a', 1);
    device.dispatchEvent(new Event('online'));
    await until(() => log.length === 1, { what: 'the missed change' });
  });

  it('refreshes a refused token', async () => {
    fixture.gateway.refusedTokens.add('old');
    collect(
      fixture.connect({ ...options, token: ({ refresh }) => Promise.resolve(refresh ? 'new' : 'old') }),
    );
    await fixture.untilLive();
  });
});

it('waits at least rateLimitRetryMs after close code 4429', async () => {
  fixture.gateway.closeNextConnectionWith = 4429;
  const waits: number[] = [];
  const client = fixture.connect({
    rateLimitRetryMs: 50,
    onPhase: (phase, { retryInMs }) => {
      if (phase === 'offline') waits.push(retryInMs ?? -1);
    },
  });
  collect(client);
  await until(() => fixture.gateway.authorizations.length >= 2, { what: 'the second connection' });
  expect(waits[0]).toBeGreaterThanOrEqual(50);
});

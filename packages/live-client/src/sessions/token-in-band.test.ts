import { describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { collect, useClientFixture } from '../client.fixture.ts';

/** The settle time is so long that only an idle cursor makes the client live. */
const fixture = useClientFixture({ settleMs: 600_000 }, { sendsIdleCursors: true });

/** Returns a token with an expiry, as a gateway issues it. The fixture does not verify its signature. */
function issueToken(lifetimeMs: number, name: string): string {
  const payload = Buffer.from(JSON.stringify({ sub: name, exp: (Date.now() + lifetimeMs) / 1_000 }));
  return `h.${payload.toString('base64url')}.s`;
}

describe('a token', () => {
  it('is renewed in band before its expiry, without an interruption of the subscription', async () => {
    const tokens: string[] = [];
    const token = () => {
      tokens.push(issueToken(tokens.length < 2 ? 300 : 600_000, `t${tokens.length}`));
      return Promise.resolve(tokens.at(-1)!);
    };
    const { log } = collect(fixture.connect({ token }));
    await fixture.untilLive();
    await until(() => fixture.gateway.renewals.length === 2, { what: 'two renewals' });
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the change' });
    expect(fixture.gateway.renewals).toEqual(tokens.slice(1).map((each) => `Bearer ${each}`));
    expect(fixture.gateway.authorizations).toHaveLength(1);
    expect(fixture.phases).toEqual(['connecting', 'live']);
  });

  it('expires at the time in the pong, not at the time in its own claim', async () => {
    fixture.gateway.renewedUntil = new Date(Date.now() + 600).toISOString();
    let issued = 0;
    const token = () => Promise.resolve(issueToken(issued++ === 0 ? 200 : 600_000, `t${issued}`));
    collect(fixture.connect({ token }));
    await until(() => fixture.gateway.renewals.length >= 2, {
      what: 'the renewal before the expiry in the pong',
    });
    expect(fixture.gateway.authorizations).toHaveLength(1);
  });

  it('is fetched again after a failure of the provider, while the current one is valid', async () => {
    let issued = 0;
    const token = () => {
      issued += 1;
      if (issued === 2) return Promise.reject(new Error('the issuer is down'));
      return Promise.resolve(issueToken(issued === 1 ? 6_000 : 600_000, `t${issued}`));
    };
    collect(fixture.connect({ token }));
    await until(() => fixture.gateway.renewals.length === 1, { what: 'the renewal by the second attempt' });
    expect(fixture.phases).toEqual(['connecting', 'live']);
  });

  it('is presented by opening each event stream again after its cursor', async () => {
    const tokens: string[] = [];
    const token = () => {
      tokens.push(issueToken(tokens.length === 0 ? 300 : 600_000, `t${tokens.length}`));
      return Promise.resolve(tokens.at(-1)!);
    };
    const { log } = collect(fixture.connect({ token, fallbackAfterFailures: 0, webSocketRetryMs: Infinity }));
    await fixture.untilLive();
    await until(() => fixture.gateway.streamAuthorizations.length === 2, {
      what: 'the stream is opened again',
    });
    fixture.gateway.publish('a', 1);
    await until(() => log.length === 1, { what: 'the change' });
    expect(fixture.gateway.streamAuthorizations).toEqual(tokens.map((each) => `Bearer ${each}`));
    expect(fixture.phases).not.toContain('offline');
    expect(log).toEqual(['a@1']);
  });
});

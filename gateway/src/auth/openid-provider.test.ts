import { TidegateError } from '@tidegate/core';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, OpenIdProvider } from './openid-provider.fixture.ts';
import { createTokenVerifier, type JwtOptions, type TokenVerifierSettings } from './token-verifier.ts';

const HOUR_MS = 60 * 60 * 1000;

describe('tokens of a real OpenID provider', () => {
  const provider = new OpenIdProvider();
  beforeAll(() => provider.start());
  afterAll(() => provider.stop());

  /** Verifies by discovery, with a clock that the test can move. */
  function verifierOf(settings: TokenVerifierSettings = {}, options: Partial<JwtOptions> = {}) {
    const time = { aheadMs: 0 };
    const verifier = createTokenVerifier(
      { issuer: provider.issuer, audience: AUDIENCE, roles: ['reader', 'operator'], ...options },
      { clock: () => Date.now() + time.aheadMs, ...settings },
    );
    const verify = async (token: string) => {
      try {
        return (await verifier.verify(`Bearer ${token}`)).role;
      } catch (error) {
        const { code, details } = error as TidegateError;
        if (code === 'UNAVAILABLE') expect(details['retryAfterMs']).toBeGreaterThan(0);
        return code;
      }
    };
    return { verify, verifier, time };
  }

  it('are verified by the keys that the metadata of their issuer names', async () => {
    const { verifier } = verifierOf(
      {},
      { roleClaims: ['realm_access.roles'], roleNames: [['shop', 'reader']] },
    );
    const viewer = await verifier.verify(
      `Bearer ${await provider.issue({ realm_access: { roles: ['shop'] } })}`,
    );
    expect(viewer).toMatchObject({ id: 'robot', role: 'reader', tokenId: expect.any(String) });
  });

  it('of another issuer are refused without a fetch of keys', async () => {
    const metrics = createMetrics({ nodeMetrics: false });
    const { verify } = verifierOf({ metrics }, { issuer: 'http://127.0.0.1:9' });
    expect(await verify(await provider.issue({ role: 'reader' }))).toBe('UNAUTHENTICATED');
    expect((await metrics.render()).body).not.toMatch(/key_fetches_total\{/);
  });

  it('for another audience are refused', async () => {
    const { verify } = verifierOf({}, { audience: ['https://other.example'] });
    expect(await verify(await provider.issue({ role: 'reader' }))).toBe('UNAUTHENTICATED');
  });

  it('are accepted at once after a rotation of the keys, and the old ones refused', async () => {
    const { verify } = verifierOf();
    const before = await provider.issue({ role: 'reader' });
    expect(await verify(before)).toBe('reader');
    await provider.rotate();
    expect(await verify(await provider.issue({ role: 'reader' }))).toBe('reader');
    expect(await verify(before)).not.toBe('reader');
  });

  it('that name a key of a second rotation within the cool-down are to be retried, not refused', async () => {
    const { verify, time } = verifierOf();
    await verify(await provider.issue({ role: 'reader' }));
    for (const expected of ['reader', 'UNAVAILABLE']) {
      await provider.rotate();
      expect(await verify(await provider.issue({ role: 'reader' }))).toBe(expected);
    }
    const newest = await provider.issue({ role: 'reader' });
    time.aheadMs = 11_000;
    expect(await verify(newest)).toBe('reader');
  });

  it('are accepted by the known keys while the provider is away, and UNAVAILABLE without any', async () => {
    const metrics = createMetrics({ nodeMetrics: false });
    const warm = verifierOf({ metrics, maxTokenAgeMs: 48 * HOUR_MS, clockToleranceMs: 48 * HOUR_MS });
    const token = await provider.issue({ role: 'reader' });
    expect(await warm.verify(token)).toBe('reader');
    await provider.stop();
    for (const hours of [0, 1, 23]) {
      warm.time.aheadMs = hours * HOUR_MS;
      expect(await warm.verify(token), `after ${hours} hours`).toBe('reader');
    }
    expect((await metrics.render()).body).toMatch(/tidegate_auth_stale_keys\{.*\} 1/);
    warm.time.aheadMs = 25 * HOUR_MS;
    expect(await warm.verify(token), 'keys older than a day').toBe('UNAVAILABLE');
    const cold = verifierOf();
    expect(await cold.verify(token)).toBe('UNAVAILABLE');
    await provider.start();
    expect(await cold.verify(token), 'during the pause after a failed fetch').toBe('UNAVAILABLE');
    cold.time.aheadMs = 1_100;
    expect(await cold.verify(token)).toBe('reader');
    warm.time.aheadMs = 26 * HOUR_MS;
    expect(await warm.verify(token)).toBe('reader');
    expect((await metrics.render()).body).toMatch(/tidegate_auth_stale_keys\{.*\} 0/);
  });

  it.each([
    ['behind by 29 s', -29_000, 'reader'],
    ['behind by 40 s', -40_000, 'UNAUTHENTICATED'],
    ['ahead by the lifetime and 25 s', 85_000, 'reader'],
    ['ahead by the lifetime and 40 s', 100_000, 'TOKEN_EXPIRED'],
  ])('are judged with a tolerance of 30 s by a clock that is %s', async (_name, aheadMs, expected) => {
    const { verify, time } = verifierOf();
    time.aheadMs = aheadMs;
    expect(await verify(await provider.issue({ role: 'reader' }))).toBe(expected);
  });
});

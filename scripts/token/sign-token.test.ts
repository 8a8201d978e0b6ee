import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseTtl, signToken } from './sign-token.ts';

const secret = 's'.repeat(32);

describe('a development token', () => {
  it('contains subject, role, issuer and audience, and expires after its time to live', async () => {
    const token = await signToken({ sub: 'customer-1', role: 'customer', ttlMs: 60_000, secret });
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(secret), {
      issuer: 'tidegate',
      audience: 'tidegate',
    });
    expect(protectedHeader.alg).toBe('HS256');
    expect(payload).toMatchObject({ sub: 'customer-1', role: 'customer' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  });

  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('parses a time to live of %s', (text, ms) => expect(parseTtl(text)).toBe(ms));

  it.each(['', '1', '1y', '-1h', '0s'])('refuses a time to live of %j', (text) => {
    expect(() => parseTtl(text)).toThrow('--ttl');
  });
});

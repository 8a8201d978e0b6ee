import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { jwtRules } from './jwt-rules.ts';
import { createTokenVerifier } from './token-verifier.ts';

const secret = 's'.repeat(32);
const verifier = createTokenVerifier({ secret, roles: ['reader'], claims: ['grants', 'region'] });

async function authorization(claims: Record<string, unknown>): Promise<string> {
  const token = await new SignJWT({ role: 'reader', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('reader-1')
    .setIssuer(jwtRules.issuer)
    .setAudience(jwtRules.audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));
  return `Bearer ${token}`;
}

describe('the claims of a viewer', () => {
  it('are those that the gateway was configured to read, and no others', async () => {
    const viewer = await verifier.verify(await authorization({ grants: ['a', 'b'], email: 'r@example.com' }));
    expect(viewer.claims).toEqual({ grants: ['a', 'b'] });
  });

  it('are absent when the token has none of them', async () => {
    const viewer = await verifier.verify(await authorization({ email: 'r@example.com' }));
    expect(viewer).not.toHaveProperty('claims');
  });

  it('of more than 4 KiB refuse the token', async () => {
    const grants = Array.from({ length: 1_000 }, (_, at) => `grant-${at}`);
    await expect(verifier.verify(await authorization({ grants }))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

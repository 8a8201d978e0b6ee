import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TidegateError } from '@tidegate/core';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenVerifier, type JwtOptions } from './token-verifier.ts';

const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

describe('an issuer of every tenant, as Entra names it', () => {
  let server: Server;
  let origin: string;
  let privateKey: CryptoKey;
  let named: string;

  beforeAll(async () => {
    const pair = await generateKeyPair('RS256');
    ({ privateKey } = pair);
    const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: '1', alg: 'RS256' }] };
    server = createServer((request, response) => {
      const isMetadata = request.url === '/common/v2.0/.well-known/openid-configuration';
      if (!isMetadata && request.url !== '/keys') return void response.writeHead(404).end();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(isMetadata ? { issuer: named, jwks_uri: `${origin}/keys` } : keys));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    named = `${origin}/{tenantid}/v2.0`;
  });
  afterAll(() => server.close());

  const verifier = (options: Partial<JwtOptions> = {}) =>
    createTokenVerifier({
      issuer: `${origin}/{tenantid}/v2.0`,
      audience: 'shop',
      roles: ['reader'],
      tenantClaim: 'tid',
      ...options,
    });

  const token = (iss: string, tid?: unknown) =>
    new SignJWT({ role: 'reader', ...(tid !== undefined && { tid }) })
      .setProtectedHeader({ alg: 'RS256', kid: '1' })
      .setIssuer(iss)
      .setAudience('shop')
      .setSubject('user')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);

  it('accepts a tenant whose tid its iss has, by the keys that the common metadata names', async () => {
    const bearer = `Bearer ${await token(`${origin}/${TENANT}/v2.0`, TENANT)}`;
    expect(await verifier().verify(bearer)).toMatchObject({ id: 'user', tenant: TENANT });
    const byKeys = verifier({ jwksUrl: `${origin}/keys` });
    expect(await byKeys.verify(bearer)).toMatchObject({ id: 'user', tenant: TENANT });
  });

  it.each([
    ['of another tenant than its tid', `/${TENANT}/v2.0`, TENANT.replace('9188', '9189')],
    ['without a tid', `/${TENANT}/v2.0`, undefined],
    ['with a tid of another type', `/${TENANT}/v2.0`, [TENANT]],
    ['with a tid that is no UUID', '/../v2.0', '..'],
    ['with the template itself', '/{tenantid}/v2.0', '{tenantid}'],
    ['with a pattern of replacement', `/{tenantid}/v2.0`, '$&'],
    ['of another path', `/${TENANT}/v1.0`, TENANT],
  ])('refuses a token %s', async (_name, path, tid) => {
    await expect(verifier().verify(`Bearer ${await token(`${origin}${path}`, tid)}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('refuses a named tenant alone when it is the only issuer', async () => {
    const one = verifier({ issuer: `${origin}/${TENANT}/v2.0`, jwksUrl: `${origin}/keys` });
    const other = TENANT.replace('9188', '9189');
    await expect(one.verify(`Bearer ${await token(`${origin}/${other}/v2.0`, other)}`)).rejects.toMatchObject(
      {
        code: 'UNAUTHENTICATED',
      },
    );
  });

  it('has to be named so by the metadata', async () => {
    named = `${origin}/common/v2.0`;
    const bearer = `Bearer ${await token(`${origin}/${TENANT}/v2.0`, TENANT)}`;
    await expect(verifier().verify(bearer)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('needs the keys of a provider', () => {
    expect(() => verifier({ secret: 'a secret of 32 characters or more' })).toThrow(TidegateError);
  });
});

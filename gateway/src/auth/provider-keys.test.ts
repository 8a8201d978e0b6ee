import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TidegateError } from '@tidegate/core';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jwtRules } from './jwt-rules.ts';
import { createTokenVerifier, type JwtOptions, type TokenVerifierSettings } from './token-verifier.ts';

interface Key {
  readonly kid?: string;
  readonly privateKey: CryptoKey;
  readonly jwk: Record<string, unknown>;
}

async function createKey(kid?: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), ...(kid && { kid }), use: 'sig' };
  return { ...(kid !== undefined && { kid }), privateKey, jwk };
}

function sign({ kid, privateKey }: Key, issuer = jwtRules.issuer): Promise<string> {
  return new SignJWT({ role: 'reader' })
    .setProtectedHeader({ alg: 'ES256', ...(kid && { kid }) })
    .setSubject('reader-1')
    .setIssuer(issuer)
    .setAudience(jwtRules.audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
}

describe('the keys of an identity provider', () => {
  let server: Server;
  let url: string;
  let hits: number;
  let answer: (response: ServerResponse, path: string) => void;

  beforeEach(async () => {
    hits = 0;
    server = createServer((request, response) => {
      hits += 1;
      answer(response, request.url!);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const serve = (...keys: Key[]) => {
    answer = (response) => void response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  };

  function createVerify(settings: TokenVerifierSettings = {}, options: Partial<JwtOptions> = {}) {
    const time = { aheadMs: 0 };
    const verifier = createTokenVerifier(
      { jwksUrl: `${url}/keys`, roles: ['reader'], ...options },
      { keysTimeoutMs: 300, clock: () => Date.now() + time.aheadMs, ...settings },
    );
    const verify = (token: string) =>
      verifier.verify(`Bearer ${token}`).then(
        ({ id }) => id,
        (error: TidegateError) => error.code,
      );
    return { verify, time };
  }

  it.each<[string, (response: ServerResponse) => void]>([
    ['500', (response) => void response.writeHead(500).end('no')],
    ['a redirect', (response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
    ['a page', (response) => void response.end('<html>')],
    ['an empty key set', (response) => void response.end('{"keys":[]}')],
    ['no key set', (response) => void response.end('[]')],
    ['nothing', () => undefined],
    ['half of a body', (response) => void response.write('{"keys":[')],
    ['a body without end', (response) => void response.end(`{"keys":[${' '.repeat(2 << 20)}]}`)],
    ['a reset', (response) => void response.destroy()],
  ])('that answers %s is UNAVAILABLE without known keys, and harmless with them', async (_name, broken) => {
    const key = await createKey('a');
    const token = await sign(key);
    answer = broken;
    expect(await createVerify().verify(token)).toBe('UNAVAILABLE');
    serve(key);
    const { verify, time } = createVerify();
    expect(await verify(token)).toBe('reader-1');
    answer = broken;
    time.aheadMs = 11 * 60_000;
    expect(await verify(token)).toBe('reader-1');
    time.aheadMs = 40 * 60_000;
    expect(await verify(token)).toBe('reader-1');
  });

  it('are fetched once for all tokens that wait', async () => {
    const key = await createKey('a');
    serve(key);
    const { verify } = createVerify();
    const token = await sign(key);
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => verify(token))))).toEqual(
      new Set(['reader-1']),
    );
    expect(hits).toBe(1);
  });

  it('are not fetched for each token that names an unknown one', async () => {
    serve(await createKey('a'));
    const { verify } = createVerify();
    const token = await sign(await createKey('b'));
    expect(await verify(token)).toBe('UNAUTHENTICATED');
    expect(await verify(token)).toBe('UNAUTHENTICATED');
    for (let at = 0; at < 20; at += 1) await verify(await sign(await createKey(`c${at}`)));
    expect(hits).toBe(2);
  });

  it('are not asked again during the pause after a failed fetch', async () => {
    answer = (response) => void response.writeHead(500).end();
    const { verify, time } = createVerify();
    const token = await sign(await createKey('a'));
    for (let at = 0; at < 10; at += 1) expect(await verify(token)).toBe('UNAVAILABLE');
    expect(hits).toBe(1);
    time.aheadMs = 1_500;
    await verify(token);
    expect(hits).toBe(2);
  });

  it('are tried one after the other for a token that names none, and fetched again when none fits', async () => {
    const [one, two, three] = [await createKey(), await createKey(), await createKey()];
    serve(one, two);
    const { verify } = createVerify();
    expect(await verify(await sign(two))).toBe('reader-1');
    serve(two, three);
    expect(await verify(await sign(three))).toBe('reader-1');
    expect(await verify(await sign(one))).toBe('UNAUTHENTICATED');
  });

  it('are those of the issuer that a token names', async () => {
    const [a, b] = [await createKey('same'), await createKey('same')];
    answer = (response, path) => {
      const issuer = `${url}/${path.split('/')[1]}`;
      const key = path.startsWith('/a') ? a : b;
      const metadata = { issuer, jwks_uri: `${issuer}/keys` };
      response.end(JSON.stringify(path.endsWith('/keys') ? { keys: [key.jwk] } : metadata));
    };
    const { verify } = createVerify({}, { jwksUrl: undefined, issuer: [`${url}/a`, `${url}/b`] });
    expect(await verify(await sign(a, `${url}/a`))).toBe('reader-1');
    expect(await verify(await sign(b, `${url}/b`))).toBe('reader-1');
    expect(await verify(await sign(a, `${url}/b`))).toBe('UNAUTHENTICATED');
    expect(await verify(await sign(a, `${url}/c`))).toBe('UNAUTHENTICATED');
  });

  it('are not taken from the metadata of another issuer', async () => {
    const key = await createKey('a');
    answer = (response, path) =>
      void response.end(
        JSON.stringify(
          path.endsWith('/keys')
            ? { keys: [key.jwk] }
            : { issuer: 'https://b.example', jwks_uri: `${url}/keys` },
        ),
      );
    const { verify } = createVerify({}, { jwksUrl: undefined, issuer: url });
    expect(await verify(await sign(key, url))).toBe('UNAVAILABLE');
  });
});

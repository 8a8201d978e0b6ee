/** Promise: only a token of the configured secret, issuer, audience, algorithm, age and claims is somebody's. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testSecrets } from '../harness/running-platform.ts';
import { AttackedPlatform, describeAttacks, type Outcome, type Row } from './attacked-platform.ts';

const now = Math.floor(Date.now() / 1000);
const DAY = 24 * 60 * 60;
const claims = {
  sub: 'customer-1',
  role: 'operator',
  iss: 'tidegate',
  aud: 'tidegate',
  iat: now,
  exp: now + 600,
};
const HS256 = { alg: 'HS256', typ: 'JWT' };
const { JWT_SECRET } = testSecrets;

type Claims = Readonly<Record<string, unknown>>;

function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signs with HMAC whatever the header says. */
function signed(payload: unknown, header: Claims = HS256, secret = JWT_SECRET, hash = 'sha256'): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

/** A well-signed token whose claims differ from the good ones; undefined leaves a claim out. */
const but = (changed: Claims): string => signed({ ...claims, ...changed });

const good = signed(claims);
const [goodHead, goodClaims, goodSignature] = good.split('.') as [string, string, string];
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

function signedByRsa(header: Claims): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

const accepted = '200';
const refused = '401 UNAUTHENTICATED';
const expired = '401 TOKEN_EXPIRED';

const signatures: readonly Row<string>[] = [
  ['a good token is accepted', good, accepted],
  ['`alg: none` without a signature', `${part({ alg: 'none' })}.${goodClaims}.`, refused],
  ['`alg: none` in another case', `${part({ alg: 'nOnE' })}.${goodClaims}.`, refused],
  ['`alg: NONE` with an old signature', `${part({ alg: 'NONE' })}.${goodClaims}.${goodSignature}`, refused],
  ['`alg` that is empty', signed(claims, { alg: '' }), refused],
  ['`alg` that is missing', signed(claims, { typ: 'JWT' }), refused],
  ['`alg` that is null', signed(claims, { alg: null }), refused],
  ['`alg` that is a list', signed(claims, { alg: ['HS256'] }), refused],
  ['`alg` in lower case', signed(claims, { alg: 'hs256' }), refused],
  ['another secret', signed(claims, HS256, 'x'.repeat(48)), refused],
  ['an empty secret', signed(claims, HS256, ''), refused],
  ['the secret with a line feed', signed(claims, HS256, `${JWT_SECRET}\n`), refused],
  ['the secret of cursors', signed(claims, HS256, testSecrets.CURSOR_SECRETS), refused],
  ['the secret of services', signed(claims, HS256, testSecrets.SERVICE_SECRETS), refused],
  ['HS384 by the right secret', signed(claims, { alg: 'HS384' }, JWT_SECRET, 'sha384'), refused],
  ['HS512 by the right secret', signed(claims, { alg: 'HS512' }, JWT_SECRET, 'sha512'), refused],
  ['HS256 in the header over an HS512 signature', signed(claims, HS256, JWT_SECRET, 'sha512'), refused],
  ['RS256 by a key of one’s own', signedByRsa({ alg: 'RS256' }), refused],
  [
    'RS256 with the key in `jwk`',
    signedByRsa({ alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }) }),
    refused,
  ],
  ['HS256 by a public key as the secret', signed(claims, HS256, publicPem), refused],
  [
    '`kid` that leads to an empty file',
    signed(claims, { ...HS256, kid: '../../../../dev/null' }, ''),
    refused,
  ],
  ['`kid` of SQL', signed(claims, { ...HS256, kid: "' union select 'k" }, 'k'), refused],
  ['`jku` of another server', signed(claims, { ...HS256, jku: 'http://127.0.0.1:1/jwks' }, 'k'), refused],
  ['`x5u` of another server', signed(claims, { ...HS256, x5u: 'http://127.0.0.1:1/x' }, 'k'), refused],
  ['`crit` of an unknown header', signed(claims, { ...HS256, crit: ['x'], x: 1 }), refused],
  ['`crit` that is empty', signed(claims, { ...HS256, crit: [] }), refused],
  ['`b64: false`', signed(claims, { ...HS256, crit: ['b64'], b64: false }), refused],
  [
    'claims changed after the signature',
    `${goodHead}.${part({ ...claims, sub: 'x' })}.${goodSignature}`,
    refused,
  ],
  ['a signature that is cut', good.slice(0, -4), refused],
  ['no signature', `${goodHead}.${goodClaims}.`, refused],
  ['two parts', `${goodHead}.${goodClaims}`, refused],
  ['four parts', `${good}.x`, refused],
  ['five parts, as a JWE has', 'a.b.c.d.e', refused],
  ['parts that are not base64url', '???.???.???', refused],
  ['a header that is no JSON', `${part('{"alg":')}.${goodClaims}.${goodSignature}`, refused],
  ['a header that is a list', `${part([])}.${goodClaims}.${goodSignature}`, refused],
];

const claimRows: readonly Row<string>[] = [
  ['claims that are a list', signed([1]), refused],
  ['claims that are a text', signed('"operator"'), refused],
  ['claims that are null', signed(null), refused],
  ['claims that are no JSON', signed('{"sub":'), refused],
  ['`exp` of an hour ago', but({ exp: now - 3_600 }), expired],
  ['`exp` beyond the tolerance', but({ exp: now - 40 }), expired],
  ['`exp` within the tolerance is accepted', but({ exp: now - 5 }), accepted],
  ['`exp` of zero', but({ exp: 0 }), expired],
  ['`exp` before 1970', but({ exp: -1 }), expired],
  ['`exp` that is a text', but({ exp: String(now + 600) }), refused],
  ['`exp` that is null', but({ exp: null }), refused],
  ['`nbf` in two minutes', but({ nbf: now + 120 }), refused],
  ['`nbf` within the tolerance is accepted', but({ nbf: now + 10 }), accepted],
  ['`nbf` that is a text', but({ nbf: 'now' }), refused],
  ['`iat` within the tolerance is accepted', but({ iat: now + 10 }), accepted],
  ['`iat` in an hour', but({ iat: now + 3_600, exp: now + 7_200 }), refused],
  ['`iat` of 31 days ago', but({ iat: now - 31 * DAY }), expired],
  ['`iat` long before 1970', but({ iat: -1e15 }), expired],
  ['`iat` that is missing', but({ iat: undefined }), refused],
  ['`iat` that is a text', but({ iat: 'today' }), refused],
  ['`aud` of another server', but({ aud: 'other' }), refused],
  ['`aud` that is missing', but({ aud: undefined }), refused],
  ['`aud` that is empty', but({ aud: '' }), refused],
  ['`aud` that is an empty list', but({ aud: [] }), refused],
  ['`aud` with another case', but({ aud: 'Tidegate' }), refused],
  ['`aud` that lists this server is accepted', but({ aud: ['other', 'tidegate'] }), accepted],
  ['`iss` of another issuer', but({ iss: 'evil' }), refused],
  ['`iss` that is missing', but({ iss: undefined }), refused],
  ['`iss` that is a list', but({ iss: ['tidegate'] }), refused],
  ['`iss` with a slash at its end', but({ iss: 'tidegate/' }), refused],
  ['`sub` that is missing', but({ sub: undefined }), refused],
  ['`sub` that is empty', but({ sub: '' }), refused],
  ['`sub` that is a number', but({ sub: 1 }), refused],
  ['`sub` that is a list', but({ sub: ['customer-1'] }), refused],
  ['`sub` of `__proto__`', but({ sub: '__proto__' }), refused],
  ['`sub` with a line feed', but({ sub: 'a\nb' }), refused],
  ['`sub` with a NUL', but({ sub: 'a\0b' }), refused],
  ['`sub` with a space at its end', but({ sub: 'customer-1 ' }), refused],
  ['`sub` with a letter beyond ASCII', but({ sub: 'cüstomer-1' }), refused],
  ['`sub` of 256 characters', but({ sub: 'a'.repeat(256) }), refused],
  ['`sub` of 255 characters is accepted', but({ sub: 'a'.repeat(255) }), accepted],
  ['`role` that is missing', but({ role: undefined }), refused],
  ['`role` that is unknown', but({ role: 'system' }), refused],
  ['`role` of nobody', but({ role: 'anonymous' }), refused],
  ['`role` in upper case', but({ role: 'OPERATOR' }), refused],
  ['`role` that is a list', but({ role: ['operator'] }), refused],
  ['`role` with a second name', but({ role: 'operator customer' }), refused],
  ['`role` of `constructor`', but({ role: 'constructor' }), refused],
  ['`role` of `__proto__`', but({ role: '__proto__' }), refused],
];

const ME = { query: '{ me { id role } }' };

const headers: readonly Row<string>[] = [
  ['the scheme in lower case is accepted', `bearer ${good}`, accepted],
  ['the scheme in upper case is accepted', `BEARER ${good}`, accepted],
  ['another scheme', `Basic ${part('customer-1:x')}`, refused],
  ['a scheme without a token', 'Bearer', refused],
  ['a token without a scheme', good, refused],
  ['a scheme that runs into its token', `Bearer${good}`, refused],
  ['two tokens', `Bearer ${good} ${good}`, refused],
  ['two tokens with a comma', `Bearer ${good}, Bearer ${good}`, refused],
  ['a token in quotes', `Bearer "${good}"`, refused],
  ['the word null, as careless clients send', 'Bearer null', refused],
  ['the word undefined, as careless clients send', 'Bearer undefined', refused],
];

describe('a token', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start();
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  const send = (authorization: string): Promise<Outcome> =>
    world.send({ headers: { authorization }, body: ME });

  const asBearer = (token: string): Promise<Outcome> => send(`Bearer ${token}`);

  describeAttacks('is accepted or refused by its signature', signatures, asBearer);
  describeAttacks('is accepted or refused by its claims', claimRows, asBearer);
  describeAttacks('is accepted or refused by its header', headers, send);

  it('leaves the gateway as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});

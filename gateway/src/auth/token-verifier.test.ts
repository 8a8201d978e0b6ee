import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { jwtRules } from './jwt-rules.ts';
import { createTokenVerifier, type JwtOptions, type TokenVerifierSettings } from './token-verifier.ts';

const secret = 's'.repeat(32);
const roles = ['reader', 'editor'];

function verifierOf(options: Partial<JwtOptions> = {}, settings: TokenVerifierSettings = {}) {
  const verifier = createTokenVerifier({ secret, roles, ...options }, settings);
  return async (claims: Record<string, unknown>, alg = 'HS256') => {
    const nowS = Math.floor(Date.now() / 1000);
    const { issuer: iss, audience: aud } = jwtRules;
    const all = { iss, aud, sub: 'viewer-1', role: 'reader', iat: nowS, exp: nowS + 600, ...claims };
    const token = await new SignJWT(all).setProtectedHeader({ alg }).sign(Buffer.from(secret));
    return verifier.verify(`Bearer ${token}`);
  };
}

const refused = { code: 'UNAUTHENTICATED' };
const inS = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

describe('the subject of a token', () => {
  it.each([
    'auth0|507f1f77bcf86cd799439011',
    'google-oauth2|113345678901234567890',
    'samlp|corp|Jane Doe',
    'f:0fae6a9e-1f9c-4b8e-a7f3-2f1f6d7b9c3e:jane',
    '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
    'jane.doe+shop@example.com',
    '_wl3vJ-AAAAAIkzqFVrSaSaFHy782bbtaQ',
    'c'.repeat(255),
  ])('may be %s', async (sub) => {
    expect(await verifierOf()({ sub })).toMatchObject({ id: sub });
  });

  it.each([
    undefined,
    '',
    ' ',
    ' a',
    'a ',
    'a\nb',
    'a\0',
    'jané',
    '__proto__',
    7,
    ['a'],
    {},
    'c'.repeat(256),
  ])('may not be %j', async (sub) => {
    await expect(verifierOf()({ sub })).rejects.toMatchObject(refused);
  });

  it('is read from the configured claim', async () => {
    const verify = verifierOf({ subjectClaim: 'oid' });
    expect(await verify({ oid: 'an-object' })).toMatchObject({ id: 'an-object' });
    await expect(verify({})).rejects.toMatchObject(refused);
  });
});

describe('the role of a token', () => {
  it('is the claim role, one text, by default', async () => {
    expect(await verifierOf()({})).toMatchObject({ role: 'reader' });
    for (const role of [
      undefined,
      'system',
      'anonymous',
      'constructor',
      ['reader'],
      'reader editor',
      {},
      null,
    ])
      await expect(verifierOf()({ role })).rejects.toMatchObject(refused);
  });

  it.each<[string, readonly string[], Record<string, unknown>]>([
    [
      'Keycloak, of the realm',
      ['realm_access.roles'],
      { realm_access: { roles: ['offline_access', 'Editor'] } },
    ],
    [
      'Keycloak, of a client',
      ['resource_access.my.shop.roles'],
      { resource_access: { 'my.shop': { roles: ['Editor'] }, account: { roles: ['view'] } } },
    ],
    ['Auth0', ['https://shop.example/roles'], { 'https://shop.example/roles': ['Editor'] }],
    ['Entra, of a user', ['roles', 'scp'], { roles: ['Editor'] }],
    ['Entra, of a scope', ['roles', 'scp'], { scp: 'openid Editor profile' }],
    ['a group with spaces', ['group'], { group: 'Editor' }],
  ])('is found in a token of %s', async (_provider, roleClaims, claims) => {
    const verify = verifierOf({ roleClaims, roleNames: [['Editor', 'editor']] });
    expect(await verify({ role: undefined, ...claims })).toMatchObject({ role: 'editor' });
    await expect(verify({ role: 'editor' })).rejects.toMatchObject(refused);
  });

  it('is that of the first pair of the mapping, and of the list of roles without one', async () => {
    const claims = { roles: ['reader', 'editor', 'Boss'] };
    const boss: JwtOptions['roleNames'] = [
      ['Boss', 'editor'],
      ['*', 'reader'],
    ];
    expect(await verifierOf({ roleClaims: ['roles'], roleNames: boss })(claims)).toMatchObject({
      role: 'editor',
    });
    expect(await verifierOf({ roleClaims: ['roles'], roleNames: boss })({})).toMatchObject({
      role: 'reader',
    });
    expect(await verifierOf({ roleClaims: ['roles'] })(claims)).toMatchObject({ role: 'reader' });
  });

  it.each([7, { Editor: true }, [7, ['editor']], 'editorial', null, [], '__proto__'])(
    'is not found in %j',
    async (roles) => {
      await expect(verifierOf({ roleClaims: ['roles'] })({ roles })).rejects.toMatchObject(refused);
    },
  );

  it('that a mapping names has to be one of the gateway', () => {
    expect(() => verifierOf({ roleNames: [['Boss', 'boss']] })).toThrow('none of the roles');
  });
});

describe('the tenant of a token', () => {
  it('is read from the configured claim only, and required then', async () => {
    expect(await verifierOf()({ tid: 'a' })).not.toHaveProperty('tenant');
    const verify = verifierOf({ tenantClaim: 'tid' });
    expect(await verify({ tid: 'a' })).toMatchObject({ tenant: 'a' });
    for (const tid of [undefined, '', 7, ['a']]) await expect(verify({ tid })).rejects.toMatchObject(refused);
  });
});

describe('issuer, audience and algorithm of a token', () => {
  it('may be one of a list', async () => {
    const issuer = ['https://sts.windows.net/t/', 'https://login.microsoftonline.com/t/v2.0'];
    const verify = verifierOf({ issuer, audience: ['api://shop', 'a-guid'], algorithms: ['HS256', 'HS512'] });
    for (const iss of issuer) expect(await verify({ iss, aud: 'a-guid' }, 'HS512')).toBeDefined();
    expect(await verify({ iss: issuer[0], aud: ['other', 'api://shop'] })).toBeDefined();
    await expect(verify({ iss: 'tidegate', aud: 'a-guid' })).rejects.toMatchObject(refused);
    await expect(verify({ iss: issuer[0], aud: 'tidegate' })).rejects.toMatchObject(refused);
    await expect(verify({ iss: issuer[0], aud: 'a-guid' }, 'HS384')).rejects.toMatchObject(refused);
  });

  it.each<[string, Partial<JwtOptions>]>([
    ['no keys', { secret: undefined }],
    ['a short secret', { secret: 'short' }],
    ['an empty issuer', { issuer: '' }],
    ['no issuer', { issuer: [] }],
    ['no audience', { audience: [] }],
    ['an algorithm of public keys for a secret', { algorithms: ['RS256'] }],
    ['an algorithm of a secret for public keys', { jwksUrl: 'http://127.0.0.1:9', algorithms: ['HS256'] }],
    ['no signature', { algorithms: ['none'] }],
    ['an issuer without keys that is no address', { secret: undefined, issuer: 'tidegate' }],
  ])('that are configured with %s stop the start', (_name, options) => {
    expect(() => verifierOf(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('the times of a token', () => {
  it.each([
    ['issued in 20 s', () => ({ iat: inS(20) })],
    ['valid in 20 s', () => ({ nbf: inS(20) })],
    ['expired 20 s ago', () => ({ iat: inS(-100), exp: inS(-20) })],
  ])('may differ by the tolerance: %s', async (_name, claims) => {
    expect(await verifierOf()(claims())).toBeDefined();
    await expect(verifierOf({}, { clockToleranceMs: 1_000 })(claims())).rejects.toThrow(/expired|not valid/);
  });

  it.each([
    ['issued in 40 s', () => ({ iat: inS(40) }), 'UNAUTHENTICATED'],
    ['valid in 40 s', () => ({ nbf: inS(40) }), 'UNAUTHENTICATED'],
    ['expired 40 s ago', () => ({ iat: inS(-100), exp: inS(-40) }), 'TOKEN_EXPIRED'],
    ['without a time of issue', () => ({ iat: undefined }), 'UNAUTHENTICATED'],
    ['with a text as its end', () => ({ exp: 'never' }), 'UNAUTHENTICATED'],
  ])('may not differ by more: %s', async (_name, claims, code) => {
    await expect(verifierOf()(claims())).rejects.toMatchObject({ code });
  });

  it('end a connection at the expiry, or with the tolerance when that is over already', async () => {
    const exp = inS(60);
    expect(await verifierOf()({ exp })).toMatchObject({ expiresAtMs: exp * 1000 });
    const over = inS(-5);
    expect(await verifierOf()({ iat: inS(-100), exp: over })).toMatchObject({
      expiresAtMs: over * 1000 + 30_000,
    });
  });
});

describe('an Authorization value', () => {
  it.each([
    'Bearer',
    'Bearer ',
    'Basic abc',
    'abc',
    'Bearer a b',
    'Bearer null',
    `Bearer ${'a'.repeat(20_000)}`,
  ])('that is no bearer token is refused', async (authorization) => {
    await expect(createTokenVerifier({ secret, roles }).verify(authorization)).rejects.toMatchObject(refused);
  });
});

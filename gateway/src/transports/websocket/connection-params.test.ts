import { describe, expect, it } from 'vitest';
import { authorizationIn } from './connection-params.ts';

describe('the payload of connection_init', () => {
  it.each([
    { authorization: 'Bearer a' },
    { Authorization: 'Bearer a' },
    { AUTHORIZATION: 'Bearer a', other: 1 },
    { headers: { authorization: 'Bearer a' } },
    { headers: { Authorization: 'Bearer a', 'x-other': 1 } },
    { authorization: 'Bearer a', headers: { Authorization: 'Bearer a' } },
  ])('may carry the token as %j', (params) => {
    expect(authorizationIn(params)).toBe('Bearer a');
  });

  it.each([undefined, {}, { headers: {} }, { headers: null }, { token: 'a' }, { headers: { token: 'a' } }])(
    'carries no token as %j',
    (params) => expect(authorizationIn(params)).toBeUndefined(),
  );

  it.each([
    { authorization: null },
    { authorization: 7 },
    { authorization: false },
    { Authorization: ['Bearer a'] },
    { authorization: { token: 'a' } },
    { headers: { Authorization: null } },
    { headers: { authorization: ['Bearer a'] } },
    { headers: 'Authorization: Bearer a' },
    { headers: [['Authorization', 'Bearer a']] },
    { authorization: 'Bearer a', Authorization: 'Bearer b' },
    { authorization: 'Bearer a', headers: { authorization: 'Bearer b' } },
    { authorization: null, headers: { authorization: 'Bearer a' } },
  ])('is refused when it cannot be read: %j', (params) => {
    expect(() => authorizationIn(params)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });
});

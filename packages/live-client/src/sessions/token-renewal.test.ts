import { expect, it } from 'vitest';
import { tokenExpiryMs } from './token-renewal.ts';

const jwt = (payload: string) => `h.${Buffer.from(payload).toString('base64url')}.s`;

it.each([
  ['a JWT', jwt('{"exp":1795420800,"sub":"Zoë??>"}'), 1_795_420_800_000],
  ['a JWT without exp', jwt('{"sub":"x"}'), undefined],
  ['a JWT with an exp that is no number', jwt('{"exp":"soon"}'), undefined],
  ['a JWT without claims', jwt('null'), undefined],
  ['an opaque token', 'secret', undefined],
  ['no token', '', undefined],
])('reads the expiry of %s', (_, token, expected) => {
  expect(tokenExpiryMs(token)).toBe(expected);
});

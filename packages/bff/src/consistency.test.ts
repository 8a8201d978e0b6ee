import { describe, expect, it } from 'vitest';
import { Consistency } from './consistency.ts';

describe('a demanded version', () => {
  it.each(['', 'zzz', 0, 1, false, true, [], ['counter/42@7'], {}])('is not %j', (token) => {
    expect(() => new Consistency().require(token)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
  });

  it.each([null, undefined])('is absent when it is %s', async (token) => {
    const consistency = new Consistency();
    consistency.require(token);
    expect(await consistency.freshness('counter')).toBeUndefined();
  });

  it('is the floor version of its key', async () => {
    const consistency = new Consistency();
    consistency.require('counter/42@7');
    expect(await consistency.freshness('counter', ['42'])).toMatchObject({ token: 'counter/42@7' });
  });
});

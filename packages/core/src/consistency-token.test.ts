import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  mergeConsistencyTokens,
  type VersionFloor,
} from './consistency-token.ts';

const floor: fc.Arbitrary<VersionFloor> = fc.record({
  kind: fc.stringMatching(/^[a-z][a-z-]{0,31}$/),
  key: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
  version: fc.integer({ min: 1, max: 999_999_999 }),
});
const floors = fc.array(floor, { minLength: 1, maxLength: 20 });

const newestOf = (all: readonly VersionFloor[]): Map<string, number> => {
  const newest = new Map<string, number>();
  for (const { kind, key, version } of all) {
    newest.set(`${kind}/${key}`, Math.max(version, newest.get(`${kind}/${key}`) ?? 0));
  }
  return newest;
};

describe('a consistency token', () => {
  it('reads counter/42@7, several joined by +', () => {
    expect(encodeConsistencyToken([{ kind: 'counter', key: '42', version: 7 }])).toBe('counter/42@7');
    expect(decodeConsistencyToken('counter/42@7+alarm/p-1@3')).toEqual([
      { kind: 'counter', key: '42', version: 7 },
      { kind: 'alarm', key: 'p-1', version: 3 },
    ]);
  });

  it('is equal after encoding and decoding', () => {
    fc.assert(
      fc.property(floors, (given) => {
        expect(decodeConsistencyToken(encodeConsistencyToken(given))).toEqual(given);
      }),
    );
  });

  it('that is merged has the highest floor version of each key', () => {
    fc.assert(
      fc.property(fc.array(floors, { minLength: 1, maxLength: 3 }), (several) => {
        const merged = decodeConsistencyToken(mergeConsistencyTokens(...several.map(encodeConsistencyToken)));
        expect(newestOf(merged)).toEqual(newestOf(several.flat()));
        expect(merged).toHaveLength(newestOf(merged).size);
      }),
    );
  });

  it('is unchanged when merged with itself or with an empty token', () => {
    expect(mergeConsistencyTokens('counter/42@7', 'counter/42@7', '')).toBe('counter/42@7');
    expect(mergeConsistencyTokens()).toBe('');
  });

  it('keeps the last 64 keys when more are merged', () => {
    const tokens = Array.from({ length: 70 }, (_, at) => `counter/o${at}@1`);
    const kept = decodeConsistencyToken(mergeConsistencyTokens(...tokens));
    expect([kept.length, kept[0]?.key, kept.at(-1)?.key]).toEqual([64, 'o6', 'o69']);
  });

  it.each([
    '',
    'counter',
    'counter/42',
    'counter/42@0',
    'counter/42@07',
    'counter/42@-1',
    'counter/42@1.5',
    'counter/42@9999999999999999',
    'Counter/42@1',
    'counter/@1',
    'counter/4 2@1',
    'counter/42@1+',
    'counter/42@1\n',
    Array.from({ length: 65 }, (_, at) => `counter/o${at}@1`).join('+'),
  ])('is not %j', (token) => {
    expect(() => decodeConsistencyToken(token)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});

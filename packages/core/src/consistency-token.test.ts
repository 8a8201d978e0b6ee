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
  it('reads order/42@7, several joined by +', () => {
    expect(encodeConsistencyToken([{ kind: 'order', key: '42', version: 7 }])).toBe('order/42@7');
    expect(decodeConsistencyToken('order/42@7+product/p-1@3')).toEqual([
      { kind: 'order', key: '42', version: 7 },
      { kind: 'product', key: 'p-1', version: 3 },
    ]);
  });

  it('says after decoding what it said before encoding', () => {
    fc.assert(
      fc.property(floors, (given) => {
        expect(decodeConsistencyToken(encodeConsistencyToken(given))).toEqual(given);
      }),
    );
  });

  it('that is merged demands the newest of each key that any of them demands', () => {
    fc.assert(
      fc.property(fc.array(floors, { minLength: 1, maxLength: 3 }), (several) => {
        const merged = decodeConsistencyToken(mergeConsistencyTokens(...several.map(encodeConsistencyToken)));
        expect(newestOf(merged)).toEqual(newestOf(several.flat()));
        expect(merged).toHaveLength(newestOf(merged).size);
      }),
    );
  });

  it('merged with itself or with nothing stays what it is', () => {
    expect(mergeConsistencyTokens('order/42@7', 'order/42@7', '')).toBe('order/42@7');
    expect(mergeConsistencyTokens()).toBe('');
  });

  it('stays bounded: of more than 64 keys the latest are kept', () => {
    const tokens = Array.from({ length: 70 }, (_, at) => `order/o${at}@1`);
    const kept = decodeConsistencyToken(mergeConsistencyTokens(...tokens));
    expect([kept.length, kept[0]?.key, kept.at(-1)?.key]).toEqual([64, 'o6', 'o69']);
  });

  it.each([
    '',
    'order',
    'order/42',
    'order/42@0',
    'order/42@07',
    'order/42@-1',
    'order/42@1.5',
    'order/42@9999999999999999',
    'Order/42@1',
    'order/@1',
    'order/4 2@1',
    'order/42@1+',
    'order/42@1\n',
    Array.from({ length: 65 }, (_, at) => `order/o${at}@1`).join('+'),
  ])('is not %j', (token) => {
    expect(() => decodeConsistencyToken(token)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCursorCodec, cursorBinding, type Cursor } from './cursor.ts';

const secret = 'a secret of at least thirty-two characters';
const binding = cursorBinding('member:7', 'fingerprint');
const expected = { binding, epoch: 'log-1', nowMs: 1_000_000, maxAgeMs: 60_000 };

function cursor(changes: Partial<Cursor> = {}): Cursor {
  return {
    epoch: 'log-1',
    binding,
    issuedAtMs: 990_000,
    floorVersion: 0,
    positions: new Map([[0, 12]]),
    ...changes,
  };
}

describe('a cursor', () => {
  const codec = createCursorCodec([secret]);

  it('decodes to the facts it was encoded from', () => {
    const positions = fc
      .uniqueArray(fc.tuple(fc.nat(99), fc.maxSafeNat()), {
        selector: ([partition]) => partition,
        maxLength: 20,
      })
      .map((entries) => new Map(entries));
    fc.assert(
      fc.property(positions, fc.nat(1_000_000), (given, floorVersion) => {
        const decoded = codec.decode(codec.encode(cursor({ positions: given, floorVersion })), expected);
        expect(decoded.positions).toEqual(given);
        expect(decoded.floorVersion).toBe(floorVersion);
      }),
    );
  });

  it('has at most 200 characters for 12 partitions of a thousand million records each', () => {
    const positions = new Map(
      Array.from({ length: 12 }, (_, partition) => [partition, 1_000_000_000] as const),
    );
    expect(codec.encode(cursor({ positions })).length).toBeLessThanOrEqual(200);
  });

  it('is rejected with CURSOR_INVALID when a single character is changed', () => {
    const text = codec.encode(cursor());
    for (let index = 0; index < text.length - 1; index++) {
      const forged = `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`;
      expect(() => codec.decode(forged, expected)).toThrow(
        expect.objectContaining({ code: 'CURSOR_INVALID' }),
      );
    }
  });

  it.each(['', 'x', '!!!', 'A'.repeat(2_000)])('is rejected with CURSOR_INVALID when it is %j', (text) => {
    expect(() => codec.decode(text, expected)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });

  it('has one spelling: surplus letters and bits at its end are rejected with CURSOR_INVALID', () => {
    const text = codec.encode(cursor());
    const last = text.at(-1)!;
    const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      .split('')
      .filter((letter) => letter !== last);
    for (const spelling of [...others.map((letter) => text.slice(0, -1) + letter), `${text}A`]) {
      expect(() => codec.decode(spelling, expected), spelling).toThrow(
        expect.objectContaining({ code: 'CURSOR_INVALID' }),
      );
    }
  });

  it('is rejected with CURSOR_FOREIGN for another viewer and for another subscription', () => {
    const text = codec.encode(cursor());
    for (const other of [cursorBinding('member:8', 'fingerprint'), cursorBinding('member:7', 'other')]) {
      expect(() => codec.decode(text, { ...expected, binding: other })).toThrow(
        expect.objectContaining({ code: 'CURSOR_FOREIGN' }),
      );
    }
  });

  it('is rejected with CURSOR_EXPIRED beyond the resume window and after the log was re-created', () => {
    const text = codec.encode(cursor());
    for (const changed of [{ nowMs: 1_060_001 }, { epoch: 'log-2' }]) {
      expect(() => codec.decode(text, { ...expected, ...changed })).toThrow(
        expect.objectContaining({ code: 'CURSOR_EXPIRED' }),
      );
    }
  });

  it('stays valid while its secret is still one of the configured secrets', () => {
    const text = codec.encode(cursor());
    const rotated = createCursorCodec(['a newer secret, thirty-two characters', secret]);
    expect(rotated.decode(text, expected).positions).toEqual(new Map([[0, 12]]));
    const forgotten = createCursorCodec(['a newer secret, thirty-two characters']);
    expect(() => forgotten.decode(text, expected)).toThrow(
      expect.objectContaining({ code: 'CURSOR_INVALID' }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { measureProse, proseOf } from './prose.ts';

const source = `
/** Sends what waits. */
export const a = 'what is in a string does not count';
// Flushes the queue.
it('tells whoever asks', () => {});
it.each([1])('flushes the queue', () => {});`;

describe('the prose measure', () => {
  it('reads comments and test titles, with their lines', () => {
    expect(proseOf('a.test.ts', source).map(({ kind, line, text }) => [kind, line, text])).toEqual([
      ['comment', 2, 'Sends what waits.'],
      ['comment', 4, 'Flushes the queue.'],
      ['title', 5, 'tells whoever asks'],
    ]);
  });

  it('counts pronouns per thousand comment words, and titles apart', () => {
    expect(measureProse('x', proseOf('a.test.ts', source))).toMatchObject({
      words: 6,
      hits: 1,
      perThousand: 1000 / 6,
      titles: 1,
      obliqueTitles: 1,
    });
  });
});

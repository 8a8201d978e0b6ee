import { describe, expect, it } from 'vitest';
import { recordContent } from './record-content.ts';

describe('the content of a record', () => {
  const content = (headers: [string | null, Buffer | string | null][]) =>
    recordContent({ key: null, value: null, headers, timestampMs: 1 });

  it('has the last of several headers of one name', () => {
    expect(
      content([
        ['id', 'a'],
        ['id', Buffer.from('b')],
      ]).headers,
    ).toEqual({ id: 'b' });
  });

  it('has empty texts for a null key, name and value', () => {
    expect(content([[null, null]])).toEqual({ key: '', value: null, headers: { '': '' }, timestampMs: 1 });
  });

  it('has a header named __proto__ as any other', () => {
    expect(Object.entries(content([['__proto__', 'x']]).headers)).toEqual([['__proto__', 'x']]);
  });
});

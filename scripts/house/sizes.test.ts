import { describe, expect, it } from 'vitest';
import { oversizes } from './sizes.ts';

const lines = (count: number, line = 'x();'): string => Array.from({ length: count }, () => line).join('\n');

describe('the size limits', () => {
  it('report a file over 300 lines', () => {
    expect(oversizes('a.ts', lines(300))).toEqual([]);
    expect(oversizes('a.ts', lines(301))).toEqual([{ path: 'a.ts', line: 1, lines: 301, what: 'file' }]);
  });

  it('report a function over 60 lines, whichever way it is written', () => {
    expect(oversizes('a.ts', `function f() {\n${lines(58)}\n}`)).toEqual([]);
    for (const open of ['function f() {', 'const f = () => {', 'const f = function () {'])
      expect(oversizes('a.ts', `\n${open}\n${lines(59)}\n}`)).toEqual([
        { path: 'a.ts', line: 2, lines: 61, what: 'function' },
      ]);
  });

  it('exempt a function that holds tests', () => {
    const suite = `describe('it', () => {\n  it('holds', () => {});\n${lines(80)}\n});`;
    expect(oversizes('a.test.ts', suite)).toEqual([]);
  });
});

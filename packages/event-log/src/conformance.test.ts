import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const folder = import.meta.dirname;

/** The port's comments as running text, without the marks of comment lines and lists. */
const contract = readFileSync(join(folder, 'event-log.ts'), 'utf8')
  .replaceAll(/^\s*\/?\*+(?: -)?/gm, ' ')
  .replaceAll(/\s+/g, ' ');

function titles(source: string): string[] {
  const found = source.matchAll(/\bit(?:\.each\([^)]*\))?\(\s*(?:'([^']*)'|"([^"]*)")/g);
  // `: %s` names the case of a sentence that is tested with several.
  return Array.from(found, ([, single, double]) => (single ?? double ?? '').replace(/: %s$/, ''));
}

it('the titles of the conformance suite are sentences of the port', () => {
  const files = readdirSync(join(folder, 'conformance')).map((name) => join(folder, 'conformance', name));
  const all = files.flatMap((file) => titles(readFileSync(file, 'utf8')));
  expect(all.length).toBeGreaterThan(40);
  expect(all.filter((title) => !contract.includes(title))).toEqual([]);
});

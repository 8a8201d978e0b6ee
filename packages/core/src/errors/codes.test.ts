import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from './codes.ts';

const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
const cells = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map(cells);

describe('docs/errors.md', () => {
  it('lists the codes of the table once each, in its order', () => {
    expect(rows.map(([code]) => code)).toEqual(Object.keys(errorCodes).map((code) => `\`${code}\``));
  });

  it.each(Object.entries(errorCodes))('describes %s as the table does, and a way out', (code, entry) => {
    const [, httpStatus, closeCode, retryable, meaning, wayOut] =
      rows.find(([name]) => name === `\`${code}\``) ?? [];
    expect({ httpStatus, closeCode, retryable, meaning }).toEqual({
      httpStatus: String(entry.httpStatus),
      closeCode: String(entry.closeCode),
      retryable: entry.retryable ? 'yes' : 'no',
      meaning: entry.meaning,
    });
    expect(wayOut).toMatch(/^[A-Z].{10,}\.$/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes, type ErrorCode } from '@tidegate/core';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { readTexts } from './architecture/read-sources.ts';

/** Sources that may raise errors: not the table, not tests, not the clients that read codes. */
const sources = readTexts(repositoryRoot)
  .filter(({ path }) => /^(packages|gateway|services|bffs)\//.test(path))
  .filter(
    ({ path }) => !/\.(test|fixture)\.|\/conformance|errors\/codes\.ts$|^packages\/live-client\//.test(path),
  );

/** Returns the texts behind each place that raises a code: a comparison with it does not count. */
function raises(code: string): string[] {
  const place = new RegExp(`(?<![=!]== )'${code}'`, 'g');
  return sources.flatMap(({ text }) =>
    [...text.matchAll(place)].map(({ index }) => text.slice(index, index + 400)),
  );
}

const page = readFileSync(join(repositoryRoot, 'docs/errors.md'), 'utf8');

/** The details that the page promises, with their code. */
const promises = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => {
    const code = /`(\w+)`/.exec(line)![1]!;
    return [...line.matchAll(/`details\.(\w+)`/g)].map(([, detail]) => [code, detail!] as const);
  });

describe('the table of error codes', () => {
  it('holds only codes that are raised somewhere', () => {
    const codes = Object.keys(errorCodes) as ErrorCode[];
    const unraised = codes.filter((code) => raises(code).length === 0);
    // The limits of documents are to raise it.
    expect(unraised.filter((code) => code !== 'OPERATION_TOO_COMPLEX')).toEqual([]);
  });

  it.each(promises)('promises of %s a detail that it has: %s', (code, detail) => {
    expect(raises(code).some((text) => text.includes(detail))).toBe(true);
  });

  it('promises a time to come back with every RATE_LIMITED', () => {
    const thrown = raises('RATE_LIMITED').filter((text) => /^'RATE_LIMITED',\s*['"`]/.test(text));
    expect(thrown.length).toBeGreaterThan(0);
    expect(thrown.filter((text) => !/retryAfterMs|: \{ retryAfter/.test(text))).toEqual([]);
  });
});

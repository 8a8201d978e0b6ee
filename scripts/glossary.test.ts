import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { expect, it } from 'vitest';
import { readTexts } from './architecture/read-sources.ts';

it('the glossary names identifiers that exist in the code', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/glossary.md'), 'utf8');
  const identifiers = [...page.matchAll(/^\| \*\*[^|]+\| ([^|]+)\|/gm)].flatMap(([, column]) =>
    [...column!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  );
  expect(identifiers.length).toBeGreaterThan(40);
  const sources = readTexts(repositoryRoot)
    .filter(({ path }) => !path.startsWith('scripts/'))
    .map(({ text }) => text)
    .join('\n');
  expect(identifiers.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources))).toEqual([]);
});

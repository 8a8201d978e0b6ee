import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildMicrofrontends } from '../build.ts';
import { keepFormerFiles } from './former-files.ts';
import { hashSources, isFresh, markFresh } from './freshness.ts';
import type { Manifest } from './manifest.ts';

const here = dirname(dirname(fileURLToPath(import.meta.url)));

describe('the built micro-frontends', () => {
  it('are not built again while nothing has changed', async () => {
    await buildMicrofrontends();
    const startedMs = performance.now();
    expect(await buildMicrofrontends()).toEqual([]);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('contain shared libraries once: the shell provides, remotes import', async () => {
    await buildMicrofrontends();
    const shell = manifest('shell');
    const orders = manifest('orders');
    expect(shell.imports).toEqual([]);
    expect(orders.imports).toContain('preact');
    expect(orders.imports.filter((specifier) => !(specifier in shell.exposes))).toEqual([]);
    expect(Object.keys(orders.exposes)).toEqual(['@mfe/orders']);
  });

  it('isolate their styles: every rule is inside the layer and scope of its micro-frontend', async () => {
    await buildMicrofrontends();
    for (const file of manifest('orders').css) {
      const css = readFileSync(join(here, 'orders', 'dist', file), 'utf8').replace(
        /@keyframes [^{]+\{(\s*\w+\s*\{[^}]*\})+\s*\}/g,
        '',
      );
      // Every top-level block begins like this, and there is nothing between the blocks.
      const begin =
        /@layer remotes\.orders\s*\{\s*@scope\s*\(\[data-mfe="?orders"?\]\) to \(\[data-mfe\]\)\s*\{/y;
      for (const block of topLevelBlocks(css.trim())) expect(block).toMatch(begin);
      expect(topLevelBlocks(css.trim()).join('')).toBe(css.trim());
    }
  });
});

describe('freshness', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'freshness-'));
    mkdirSync(join(folder, 'dist'));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'index.ts'), 'one');
    writeFileSync(join(folder, 'dist', 'manifest.json'), '{}');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('ends when a source changes, appears or disappears, but not when a test does', () => {
    const before = hashSources([join(folder, 'src')]);
    writeFileSync(join(folder, 'src', 'index.test.ts'), 'a test');
    expect(hashSources([join(folder, 'src')])).toBe(before);
    writeFileSync(join(folder, 'src', 'more.ts'), '');
    expect(hashSources([join(folder, 'src')])).not.toBe(before);
    rmSync(join(folder, 'src', 'more.ts'));
    writeFileSync(join(folder, 'src', 'index.ts'), 'two');
    expect(hashSources([join(folder, 'src')])).not.toBe(before);
  });

  it('requires a complete build', () => {
    const dist = join(folder, 'dist');
    expect(isFresh(dist, 'hash')).toBe(false);
    markFresh(dist, 'hash');
    expect(isFresh(dist, 'hash')).toBe(true);
    expect(isFresh(dist, 'another')).toBe(false);
    rmSync(join(dist, 'manifest.json'));
    expect(isFresh(dist, 'hash')).toBe(false);
  });
});

it('a build keeps the files of former builds for seven days after they were superseded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'former-'));
  const builds = ['one', 'two', 'three', 'four'].map((name) => join(folder, name));
  const day = 24 * 60 * 60 * 1_000;
  for (const [index, build] of builds.entries()) {
    mkdirSync(build);
    const file = `a-${String(index).repeat(8)}.js`;
    writeFileSync(join(build, file), String(index));
    writeFileSync(join(build, 'manifest.json'), JSON.stringify({ integrity: { [file]: '' } }));
  }
  const [one, two, three, four] = builds as [string, string, string, string];
  keepFormerFiles(one, two, Date.now());
  keepFormerFiles(two, three, Date.now() + 6 * day);
  expect(readFileSync(join(three, 'a-00000000.js'), 'utf8')).toBe('0');
  keepFormerFiles(three, four, Date.now() + 8 * day);
  expect(readdirSync(four).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'a-11111111.js',
    'a-22222222.js',
    'a-33333333.js',
    'manifest.json',
  ]);
  rmSync(folder, { recursive: true });
});

it('covers every workspace: each has its own Vite configuration', () => {
  const workspaces = readdirSync(here).filter((name) => existsSync(join(here, name, 'package.json')));
  expect(workspaces.filter((name) => !existsSync(join(here, name, 'vite.config.ts')))).toEqual([]);
});

function manifest(name: string): Manifest {
  return JSON.parse(readFileSync(join(here, name, 'dist', 'manifest.json'), 'utf8')) as Manifest;
}

/** Splits the text after each closing brace of the top level. */
function topLevelBlocks(css: string): string[] {
  const blocks: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: brace, index } of css.matchAll(/[{}]/g)) {
    depth += brace === '{' ? 1 : -1;
    if (depth > 0) continue;
    blocks.push(css.slice(from, index + 1));
    from = index + 1;
  }
  return blocks;
}

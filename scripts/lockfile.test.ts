import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';

type Dependencies = Record<string, string>;
interface LockedPackage {
  dependencies?: Dependencies;
  devDependencies?: Dependencies;
  optionalDependencies?: Dependencies;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, path), 'utf8'));
const locked = (readJson('package-lock.json') as { packages: Record<string, LockedPackage> }).packages;

/** `npm ci` refuses a lockfile that fails one of these tests, and then no command works in a fresh clone. */
describe('package-lock.json', () => {
  it('contains the dependencies of every package.json', () => {
    const manifests = globSync(
      '{.,packages/*,services/*,gateway,bffs/*,microfrontends/*,contracts,deployments}/package.json',
      { cwd: repositoryRoot },
    );
    expect(manifests.length).toBeGreaterThan(20);
    for (const path of manifests) {
      const { dependencies = {}, devDependencies = {} } = readJson(path) as LockedPackage;
      const folder = dirname(path);
      const entry = locked[folder === '.' ? '' : folder];
      expect({ path, ...entry?.dependencies, ...entry?.devDependencies }).toEqual({
        path,
        ...dependencies,
        ...devDependencies,
      });
    }
  });

  it('contains the optional dependencies of every platform, not only of the one that wrote it', () => {
    const missing = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !isLocked(name, path))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry', () => {
    expect(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')).not.toMatch(
      /"resolved": "https?:/,
    );
  });
});

/** Resolves as Node does: in the dependent package or in one that contains it, up to the root. */
function isLocked(name: string, dependent: string): boolean {
  const parts = dependent.split('/node_modules/');
  const folders = parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`);
  return ['', ...folders].some((folder) => locked[`${folder}node_modules/${name}`]);
}

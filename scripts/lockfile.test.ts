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

/** `npm ci` refuses a lockfile that fails one of these, and with it every command on a clean clone. */
describe('package-lock.json', () => {
  it('names what every package.json asks for', () => {
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

  it('holds the optional parts for every platform, not only for the one it was written on', () => {
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

/** As Node resolves: inside the package that asks, or in one that holds it, up to the root. */
function isLocked(name: string, askedBy: string): boolean {
  const parts = askedBy.split('/node_modules/');
  const folders = parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`);
  return ['', ...folders].some((folder) => locked[`${folder}node_modules/${name}`]);
}

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';

const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
const tree = readme.slice(readme.indexOf('## The tree'));

/** Folders of the tree with the path that their indentation says. */
function treeFolders(): string[] {
  const parents: string[] = [];
  return [...tree.matchAll(/^( *)((?:[\w.-]+\/)+) {2,}\S/gm)].map(([, indent = '', name = '']) => {
    parents.length = indent.length / 2;
    parents.push(name);
    return parents.join('');
  });
}

function foldersBelow(path: string): string[] {
  return readdirSync(join(repositoryRoot, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${path}${name}/`);
}

describe('the tree in the README', () => {
  it('names folders that exist', () => {
    expect(treeFolders().length).toBeGreaterThan(40);
    expect(treeFolders().filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
  });

  it('names every folder of the gateway and every package', () => {
    const known = new Set(treeFolders());
    const folders = [
      ...foldersBelow('gateway/src/'),
      ...foldersBelow('gateway/src/live/'),
      ...foldersBelow('gateway/src/transports/'),
      ...foldersBelow('gateway/src/webhooks/'),
      ...foldersBelow('packages/'),
    ];
    expect(folders.filter((path) => !known.has(path))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('names files and folders that exist', () => {
    const page = readFileSync(join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8');
    const roots = ['', 'gateway/src/', 'deployments/'];
    const paths = [...page.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.ts)`/g)].map(([, path]) => path!);
    expect(paths.length).toBeGreaterThan(30);
    const missing = paths.filter(
      (path) => !roots.some((root) => existsSync(join(repositoryRoot, root + path))),
    );
    expect(missing).toEqual([]);
  });
});

import { globSync } from 'node:fs';
import { repositoryRoot } from '@tidegate/testing';

/** Options of vitest that are followed by their value. */
const WITH_VALUE = new Set([
  '-t',
  '--testNamePattern',
  '--project',
  '--reporter',
  '--config',
  '-c',
  '--seed',
]);

/**
 * True unless every filter names test files, and none of them wants a real backend. A filter is a part of a path, as
 * vitest takes it. Without a filter every test runs, so the backends are needed.
 */
export function needsBackends(vitestArguments: readonly string[], files = testFiles()): boolean {
  const filters = vitestArguments.filter(
    (argument, index) => !argument.startsWith('-') && !WITH_VALUE.has(vitestArguments[index - 1] ?? ''),
  );
  if (filters.length === 0) return true;
  return filters.some((filter) => {
    const matching = files.filter((path) => path.includes(filter));
    return matching.length === 0 || matching.some(wantsBackend);
  });
}

function wantsBackend(path: string): boolean {
  return path.startsWith('e2e/') || path.endsWith('.int.test.ts');
}

function testFiles(): string[] {
  return globSync(
    '{packages,gateway,contracts,services,bffs,microfrontends,deployments,scripts,bench,e2e}/**/*.test.ts',
    {
      cwd: repositoryRoot,
      exclude: (path) => path.includes('node_modules'),
    },
  );
}

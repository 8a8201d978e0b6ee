import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary, repositoryRoot } from '@tidegate/testing';

const help = `npm run check

Types, lint, dead code, formatting and the architecture; every check runs, also after one has failed.
npx oxfmt . mends the formatting, npx oxlint --type-aware --fix . part of the lint.`;

interface Check {
  readonly name: string;
  /** A program of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]];
}

/** The browser's code has other globals than the server's, so it is type-checked by its own tsconfig. */
const browserProjects = globSync('{packages/*,microfrontends,microfrontends/*}/tsconfig.json', {
  cwd: repositoryRoot,
}).toSorted();

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  ...browserProjects.map((path): Check => ({
    name: `types of ${path}`,
    command: ['tsc', '--noEmit', '-p', path],
  })),
  { name: 'lint', command: ['oxlint', '--type-aware', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'architecture', command: ['vitest', 'run', 'scripts/architecture.test.ts'] },
  { name: 'formatting', command: ['oxfmt', '--check', '.'] },
];

if (process.argv.includes('--help')) console.log(help);
else {
  const results = checks.map(run);
  console.log(`\n${results.map(({ line }) => line).join('\n')}`);
  process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
}

function run({ name, command: [program, ...args] }: Check): { passed: boolean; line: string } {
  const startedAt = Date.now();
  const { status, stdout, stderr, error } = spawnSync(
    join(repositoryRoot, 'node_modules/.bin', program),
    args,
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PATH: `${join(nodeBinary, '..')}:${process.env['PATH'] ?? ''}` },
    },
  );
  const passed = status === 0;
  if (!passed)
    console.log(`\n=== ${name}: ${program} ${args.join(' ')}\n${stdout}${stderr}${error?.message ?? ''}`);
  return {
    passed,
    line: `${passed ? '✓' : '✗'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
  };
}

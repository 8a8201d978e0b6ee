/** `npm run check`: everything that holds without running the product. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary, repositoryRoot } from '@tidegate/testing';

const help = `npm run check

Types, lint, dead code, formatting, the architecture (imports, sizes, prose). Every check runs, also after a failure.
npx oxfmt . mends the formatting, npx oxlint --type-aware --fix . part of the lint.`;

interface Check {
  readonly name: string;
  /** A program of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]];
}

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Browser code has other globals than server code, so it has tsconfigs of its own. */
const browserProjects = globSync('{packages/*,microfrontends,microfrontends/*}/tsconfig.json', {
  cwd: repositoryRoot,
}).toSorted();

/** The longest first: they run side by side. */
const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'architecture', command: ['vitest', 'run', 'scripts/architecture.test.ts'] },
  ...browserProjects.map((path): Check => ({
    name: `types of ${path}`,
    command: ['tsc', '--noEmit', '-p', path],
  })),
  { name: 'formatting', command: ['oxfmt', '--check', '.'] },
  { name: 'generated files', command: ['node', 'scripts/generate.ts', '--check'] },
];

const CONCURRENCY = 3;

if (process.argv.includes('--help')) console.log(help);
else process.exitCode = (await runAll()) ? 0 : 1;

async function runAll(): Promise<boolean> {
  const startedAt = Date.now();
  const waiting = [...checks];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) outcomes.push(await run(check));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  console.log('');
  for (const { name } of checks) {
    const { passed, seconds } = outcomes.find((outcome) => outcome.name === name)!;
    console.log(`${passed ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s)`);
  }
  console.log(`all in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return outcomes.every(({ passed }) => passed);
}

/** Runs one check; prints its output only when it fails. */
function run({ name, command: [program, ...args] }: Check): Promise<Outcome> {
  const startedAt = Date.now();
  const child = spawn(join(repositoryRoot, 'node_modules/.bin', program), args, {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${join(nodeBinary, '..')}:${process.env['PATH'] ?? ''}` },
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve) => {
    const end = (passed: boolean, problem = ''): void => {
      if (!passed)
        console.log(
          `\n=== ${name}: ${program} ${args.join(' ')}\n${Buffer.concat(output).toString()}${problem}`,
        );
      resolve({ name, passed, seconds: (Date.now() - startedAt) / 1000 });
    };
    child.once('error', (error) => end(false, error.message));
    child.once('close', (code) => end(code === 0));
  });
}

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeBinary, repositoryRoot, temporaryDirectory } from '@tidegate/testing';
import { endLeftovers, TEST_RUN } from './test/end-leftovers.ts';
import { needsBackends } from './test/needs-backends.ts';
import { noBackends, startTestBackends, type TestBackends } from './test/test-backends.ts';
import { failuresOf, totalsLine, totalsOf, type Totals } from './test/vitest-totals.ts';

const help = `npm test [-- VITEST-ARGUMENT...]

Every test but those of e2e/production: unit, conformance of every port on every adapter, end to end, browser.
npm run test:production runs the others: minutes of load and kills on the real stack.
Starts real Kafka, Redis and Postgres of its own (data gone afterwards), unless KAFKA_BROKERS, DATABASE_URL and
REDIS_URL are all given. REQUIRE_STACK=1 makes a missing real backend a failure; without, its tests are skipped.

  npm test -- packages/event-log     only the files whose path contains this; without an int or e2e test among them
                                     no backend is started
  npm test -- -t 'sentence'          only the tests whose title contains this
  npm test -- --project 'e2e*'       only the end-to-end tests; "parts": only the tests next to what they test`;

if (process.argv.includes('--help')) console.log(help);
else process.exitCode = await main(process.argv.slice(2));

async function main(vitestArguments: readonly string[]): Promise<number> {
  // Handles signals from the start, so that Ctrl-C while Kafka starts leaves nothing running.
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort());

  const backends = needsBackends(vitestArguments)
    ? await startTestBackends((line) => console.log(`stack: ${line}`))
    : noBackends;
  try {
    printBackends(backends);
    if (backends.missing.length > 0 && process.env['REQUIRE_STACK'] === '1') {
      console.error('REQUIRE_STACK=1: a real backend is missing, so the run has failed and no test was run');
      console.log(totalsLine({ passed: 0, failed: 1, skipped: 0 }));
      return 1;
    }
    const run = await runVitest(vitestArguments, backends.env, interrupted.signal);
    printBackends(backends);
    for (const failure of run.failures) console.log(failure);
    return reportTotals(run.totals, run.exitCode, interrupted.signal.aborted);
  } finally {
    await backends.stop();
  }
}

/** Prints the totals and returns the exit code. */
function reportTotals(totals: Totals, exitCode: number, interrupted: boolean): number {
  if (interrupted) console.log('The run was interrupted.');
  else if (totals.passed + totals.failed === 0) console.log('No test was run.');
  else if (exitCode !== 0 && totals.failed === 0)
    console.log('Every test passed, yet the run failed: see the errors above.');
  console.log(totalsLine(totals));
  if (interrupted) return 130;
  return totals.failed > 0 || totals.passed === 0 ? 1 : exitCode;
}

function printBackends({ summary, missing }: TestBackends): void {
  console.log(`Real backends taking part: ${summary.length > 0 ? summary.join(', ') : 'none'}`);
  for (const line of missing) console.log(`NOT taking part, its tests are SKIPPED: ${line}`);
}

async function runVitest(
  vitestArguments: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<{ exitCode: number; totals: Totals; failures: readonly string[] }> {
  await using directory = await temporaryDirectory();
  const report = join(directory.path, 'report.json');
  const projects = vitestArguments.some((argument) => argument.includes('production'))
    ? []
    : ['--project', '!production'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  if (interrupted.aborted) return { exitCode: 130, totals: totalsOf({}), failures: [] };
  // The end-to-end tests start the same processes dozens of times: the cache compiles each once.
  const NODE_COMPILE_CACHE = join(directory.path, 'compiled');
  const run = randomUUID();
  const child = spawn(
    nodeBinary,
    [
      join(repositoryRoot, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...reporters,
      ...projects,
      ...vitestArguments,
    ],
    {
      cwd: repositoryRoot,
      stdio: 'inherit',
      env: testEnvironment({ ...env, NODE_COMPILE_CACHE, [TEST_RUN]: run }),
    },
  );
  const stop = (): void => void child.kill('SIGTERM');
  interrupted.addEventListener('abort', stop, { once: true });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  interrupted.removeEventListener('abort', stop);
  const leftovers = endLeftovers(run);
  if (leftovers.length > 0) console.log(`Ended ${leftovers.length} processes that the tests left behind.`);
  const outcome = await readReport(report);
  return { exitCode, totals: totalsOf(outcome), failures: failuresOf(outcome) };
}

/** Removes variables that a developer has exported for `npm run stack`: only `env` decides about the backends. */
function testEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = { ...process.env };
  for (const name of ['KAFKA_BROKERS', 'KAFKA_LIBS', 'DATABASE_URL', 'REDIS_URL', 'CHROMIUM_PATH'])
    delete inherited[name];
  return { ...inherited, ...env };
}

async function readReport(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return {};
  }
}

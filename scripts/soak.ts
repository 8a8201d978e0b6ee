import { parseArgs } from 'node:util';
import { checkExactness } from '../e2e/exactness/check-exactness.ts';
import { runLocally } from '../e2e/exactness/local-world.ts';
import type { RunStats } from '../e2e/exactness/run-script.ts';
import { scripts } from '../e2e/exactness/script.ts';

const help = `npm run soak -- [--runs 5000]

Plays random scripts against two gateways on one embedded log: clients subscribe, disconnect, read slowly and resume
with their cursors, while the gateways are killed and restarted. Every client's view has to equal the oracle's.

A failure is shrunk and printed with the SEED and SEED_PATH that replay it:
  SEED=… SEED_PATH=… npm run soak`;

const LOG_EVERY_MS = 10_000;

try {
  await main();
} catch (error) {
  console.error(`soak: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(help);
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new Error(`--runs is a number of runs, not ${values.runs}`);
  process.exitCode = await soak(runs);
}

async function soak(runs: number): Promise<number> {
  const startedAt = Date.now();
  let loggedAt = startedAt;
  const { stats, failure } = await checkExactness({
    runs,
    script: scripts({ maxSteps: 50, floods: 'all' }),
    play: (script) => runLocally(script, { completeWithinMs: 20_000 }),
    onRun: (done, sums) => {
      if (Date.now() - loggedAt < LOG_EVERY_MS) return;
      loggedAt = Date.now();
      console.log(`${done} of ${runs} runs: ${describe(sums)}`);
    },
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  if (failure) console.error(`\n${failure.message}`);
  console.log(
    `\nsoak: ${failure ? 'FAILED' : `${runs} runs, every view exact`} in ${seconds} s: ${describe(stats)}`,
  );
  return failure ? 1 : 0;
}

function describe(stats: RunStats): string {
  return Object.entries(stats)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

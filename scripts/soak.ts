import { parseArgs } from 'node:util';
import { checkExactness } from '../e2e/exactness/check-exactness.ts';
import { runLocally } from '../e2e/exactness/local-world.ts';
import type { RunStats } from '../e2e/exactness/run-script.ts';
import { scripts } from '../e2e/exactness/script.ts';

const help = `npm run soak -- [--runs 5000]

Plays random scripts against two gateways on one embedded log: clients that subscribe, vanish, read slowly and come
back with their cursors, while the gateways are killed and restarted. Every client's view has to equal the oracle's.

A failure is made smaller and printed with the SEED and SEED_PATH that play it again:
  SEED=… SEED_PATH=… npm run soak`;

const EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const wanted = Number(values.runs);

if (values.help) console.log(help);
else if (!Number.isSafeInteger(wanted) || wanted < 1) {
  console.error(`soak: --runs is a number of runs, not ${values.runs}\n\n${help}`);
  process.exitCode = 2;
} else process.exitCode = await soak(wanted);

async function soak(runs: number): Promise<number> {
  const startedAt = Date.now();
  let saidAt = startedAt;
  const { stats, failure } = await checkExactness({
    runs,
    script: scripts({ maxSteps: 50, floods: 'all' }),
    play: (script) => runLocally(script, { levelMs: 20_000 }),
    onRun: (done, sums) => {
      if (Date.now() - saidAt < EVERY_MS) return;
      saidAt = Date.now();
      console.log(`${done} of ${runs} runs: ${words(sums)}`);
    },
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  if (failure) console.error(`\n${failure.message}`);
  console.log(
    `\nsoak: ${failure ? 'FAILED' : `${runs} runs, every view exact`} in ${seconds} s: ${words(stats)}`,
  );
  return failure ? 1 : 0;
}

function words(stats: RunStats): string {
  return Object.entries(stats)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

import { parseArgs } from 'node:util';
import { TroubledBrokers } from '../e2e/exactness/brokers/troubled-brokers.ts';
import { checkExactness, type CheckOptions } from '../e2e/exactness/check-exactness.ts';
import { runLocally } from '../e2e/exactness/local-world.ts';
import type { RunStats } from '../e2e/exactness/run-stats.ts';
import { ProcessWorld } from '../e2e/exactness/process-world.ts';
import { scripts } from '../e2e/exactness/script.ts';

import { kafkaJars } from './stack/kafka-jars.ts';

const help = `npm run soak -- [kafka] [--runs 5000]

Plays random scripts against two gateways on one embedded log: clients subscribe, disconnect, read slowly and resume
with their cursors, while the gateways are killed and restarted. Every client's view has to equal the oracle's.

With "kafka" the gateways are processes on three brokers of their own (500 runs, seconds each): producers of other
systems compress, commit and abort, and brokers freeze, restart and are killed. Downloads Kafka once.

A failure is shrunk and printed with the SEED and SEED_PATH that replay it:
  SEED=… SEED_PATH=… npm run soak`;

/** How scripts are made and played. */
interface Stage {
  readonly script: CheckOptions['script'];
  readonly play: CheckOptions['play'];
  /** False where a run takes seconds. */
  readonly shrinks: boolean;
}

const playLocally: Stage = {
  script: scripts({ maxSteps: 50, floods: 'all' }),
  play: (script) => runLocally(script, { completeWithinMs: 20_000 }),
  shrinks: true,
};

const LOG_EVERY_MS = 10_000;

// An exit ends the processes of a run; a signal by itself would leave them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`soak: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(help);
  const [log, ...more] = positionals;
  if (more.length > 0 || (log !== undefined && log !== 'kafka'))
    throw new Error(`the only word is "kafka", not ${positionals.join(' ')}`);
  const runs = Number(values.runs ?? (log === 'kafka' ? 500 : 5_000));
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new Error(`--runs is a number of runs, not ${values.runs}`);
  process.exitCode = await (log === 'kafka' ? soakOnKafka(runs) : soak(runs, playLocally));
}

async function soakOnKafka(runs: number): Promise<number> {
  await using brokers = await TroubledBrokers.start(await kafkaJars((line) => console.log(line)));
  await using world = await ProcessWorld.open({ brokers: brokers.addresses }, brokers);
  return await soak(runs, {
    script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600, brokers: true }),
    play: (script) => world.run(script, { completeWithinMs: 60_000 }),
    shrinks: false,
  });
}

async function soak(runs: number, { script, play, shrinks }: Stage): Promise<number> {
  const startedAt = Date.now();
  let loggedAt = startedAt;
  const { stats, failure } = await checkExactness({
    runs,
    script,
    play,
    shrinks,
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

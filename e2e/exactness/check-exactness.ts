import fc from 'fast-check';
import { noStats, type RunStats } from './run-stats.ts';
import type { Script } from './script.ts';

export interface CheckOptions {
  readonly runs: number;
  readonly script: fc.Arbitrary<Script>;
  readonly play: (script: Script) => Promise<RunStats>;
  /** False reports the first failure without shrinking it. Default true. */
  readonly shrinks?: boolean;
  readonly onRun?: (runs: number, stats: RunStats) => void;
}

export interface Checked {
  readonly runs: number;
  readonly stats: RunStats;
  /** The violation and how to reproduce it; undefined when every run passed. */
  readonly failure: { readonly message: string; readonly error: unknown } | undefined;
}

/** Maximum time spent on shrinking a failure, in milliseconds. */
const SHRINK_MS = 60_000;

/** Plays random scripts. The environment variables SEED and SEED_PATH replay a failed one. */
export async function checkExactness(options: CheckOptions): Promise<Checked> {
  const stats: RunStats = { ...noStats };
  let runs = 0;
  let failedAt: number | undefined;
  const property = fc.asyncProperty(options.script, async (script) => {
    // Ends the shrinking: the remaining attempts pass at once.
    if (failedAt !== undefined && Date.now() - failedAt > SHRINK_MS) return;
    try {
      const played = await options.play(script);
      if (failedAt !== undefined) return;
      add(stats, played);
      options.onRun?.((runs += 1), stats);
    } catch (error) {
      failedAt ??= Date.now();
      throw error;
    }
  });
  const details = await fc.check(property, {
    numRuns: options.runs,
    endOnFailure: options.shrinks === false,
    ...fromEnv(),
  });
  if (!details.failed) return { runs: details.numRuns, stats, failure: undefined };
  const replay = `SEED=${details.seed} SEED_PATH=${details.counterexamplePath}`;
  const script = JSON.stringify(details.counterexample?.[0]);
  const message = `run ${details.numRuns}: ${String(details.errorInstance)}\nAgain with ${replay}\n${script}`;
  return { runs: details.numRuns, stats, failure: { message, error: details.errorInstance } };
}

/** Maximum additional rounds, each with a quarter of the runs. */
const MORE_ROUNDS = 12;

/**
 * Plays the given number of runs, then further rounds until `enough` is true of the statistics. A few hundred random
 * scripts may by chance contain too few of the situations that the property is about.
 */
export async function checkUntil(
  options: CheckOptions,
  enough: (stats: Readonly<RunStats>) => boolean,
): Promise<Checked> {
  const first = await checkExactness(options);
  const stats: RunStats = { ...first.stats };
  let { runs, failure } = first;
  const isReplay = process.env['SEED'] !== undefined;
  for (let round = 0; round < MORE_ROUNDS && !isReplay && !failure && !enough(stats); round++) {
    const more = await checkExactness({ ...options, runs: Math.ceil(options.runs / 4) });
    add(stats, more.stats);
    runs += more.runs;
    failure = more.failure;
  }
  return { runs, stats, failure };
}

function fromEnv(): fc.Parameters<[Script]> {
  const { SEED, SEED_PATH } = process.env;
  return { ...(SEED && { seed: Number(SEED) }), ...(SEED_PATH && { path: SEED_PATH, numRuns: 1 }) };
}

function add(sum: RunStats, stats: RunStats): void {
  for (const name of Object.keys(sum) as (keyof RunStats)[]) sum[name] += stats[name];
}

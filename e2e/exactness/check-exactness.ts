import fc from 'fast-check';
import { noStats, type RunStats } from './run-script.ts';
import type { Script } from './script.ts';

export interface CheckOptions {
  readonly runs: number;
  readonly script: fc.Arbitrary<Script>;
  readonly play: (script: Script) => Promise<RunStats>;
  /** False stops at the first failure without looking for a smaller one. Default true. */
  readonly shrinks?: boolean;
  readonly onRun?: (runs: number, stats: RunStats) => void;
}

export interface Checked {
  readonly runs: number;
  readonly stats: RunStats;
  /** What was wrong and how to see it again; undefined when nothing was. */
  readonly failure: { readonly message: string; readonly error: unknown } | undefined;
}

const SHRINK_MS = 60_000;

/** Plays random scripts. SEED and SEED_PATH in the environment play a failed one again. */
export async function checkExactness(options: CheckOptions): Promise<Checked> {
  const stats: RunStats = { ...noStats };
  let runs = 0;
  let failedAt: number | undefined;
  const property = fc.asyncProperty(options.script, async (script) => {
    // A failure is made smaller for so long and no longer.
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

/** How often it goes on, each time with a quarter as many runs again. */
const MORE_ROUNDS = 12;

/**
 * Plays so many runs, and goes on until there was enough of what the runs are to show something about, or far more
 * were played: how often one thing comes up in few random scripts is random, too.
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

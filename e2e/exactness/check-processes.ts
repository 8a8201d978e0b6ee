import { expect } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import type { RunStats } from './run-stats.ts';
import type { ProcessWorld } from './process-world.ts';
import { scripts } from './script.ts';

export interface CheckProcessesOptions {
  readonly runs: number;
  readonly completeWithinMs: number;
  /** Scripts with foreign producers and troubled brokers. Default false. */
  readonly brokers?: boolean;
  readonly onRun?: (runs: number, stats: RunStats) => void;
}

/** Plays random scripts against two real processes until clients have resumed often enough. Fails on a violation. */
export async function checkProcesses(world: ProcessWorld, options: CheckProcessesOptions): Promise<void> {
  const { runs: wanted, completeWithinMs, brokers = false, onRun } = options;
  const { stats, runs, failure } = await checkUntil(
    {
      runs: wanted,
      script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600, brokers }),
      play: (script) => world.run(script, { completeWithinMs }),
      shrinks: false,
      ...(onRun && { onRun }),
    },
    ({ resumes }) => resumes > wanted,
  );
  console.log(`${runs} runs: ${JSON.stringify(stats)}`);
  expect(failure?.message).toBeUndefined();
  if (!process.env['SEED_PATH']) expect(stats.resumes).toBeGreaterThan(wanted);
}

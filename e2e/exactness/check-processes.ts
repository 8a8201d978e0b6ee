import { expect } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import type { ProcessWorld } from './process-world.ts';
import { scripts } from './script.ts';

/** Plays random scripts against two real processes, enough of them that clients had to resume; fails on what is not exact. */
export async function checkProcesses(
  world: ProcessWorld,
  { runs: wanted, levelMs }: { readonly runs: number; readonly levelMs: number },
): Promise<void> {
  const { stats, runs, failure } = await checkUntil(
    {
      runs: wanted,
      script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600 }),
      play: (script) => world.run(script, { levelMs }),
      shrinks: false,
    },
    ({ resumes }) => resumes > wanted,
  );
  console.log(`${runs} runs: ${JSON.stringify(stats)}`);
  expect(failure?.message).toBeUndefined();
  if (!process.env['SEED_PATH']) expect(stats.resumes).toBeGreaterThan(wanted);
}

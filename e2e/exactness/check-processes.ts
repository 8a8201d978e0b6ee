import { expect } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import type { ProcessWorld } from './process-world.ts';
import { scripts } from './script.ts';

/** Plays random scripts against two real processes until clients have resumed often enough. Fails on a violation. */
export async function checkProcesses(
  world: ProcessWorld,
  { runs: wanted, completeWithinMs }: { readonly runs: number; readonly completeWithinMs: number },
): Promise<void> {
  const { stats, runs, failure } = await checkUntil(
    {
      runs: wanted,
      script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600 }),
      play: (script) => world.run(script, { completeWithinMs }),
      shrinks: false,
    },
    ({ resumes }) => resumes > wanted,
  );
  console.log(`${runs} runs: ${JSON.stringify(stats)}`);
  expect(failure?.message).toBeUndefined();
  if (!process.env['SEED_PATH']) expect(stats.resumes).toBeGreaterThan(wanted);
}

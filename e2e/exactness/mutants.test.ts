import { describe, expect, it } from 'vitest';
import { checkExactness } from './check-exactness.ts';
import { ExactnessViolation } from './expected-view.ts';
import { runLocally } from './local-world.ts';
import { mutants, soundPatch, type Mutant } from './mutants.ts';
import { scripts } from './script.ts';

const RUNS = 200;

function check(mutant: Mutant, runs: number) {
  return checkExactness({
    runs,
    script: scripts({ maxSteps: 50, floods: 'stalls' }),
    // Short: a missing message never comes.
    play: (script) => runLocally(script, { completeWithinMs: 2_000, mutant }),
    shrinks: false,
  });
}

/** Tests the oracle. */
describe(`within ${RUNS} random scripts`, () => {
  it.each(Object.entries<Mutant>(mutants))('%s is caught', { timeout: 300_000 }, async (_name, mutant) => {
    const { failure, runs } = await check(mutant, RUNS);
    expect(failure?.error).toBeInstanceOf(ExactnessViolation);
    // The violation must be of the kind that the mutants cause: missing or repeated messages.
    expect(String(failure?.error)).toMatch(
      /has not come|is owed|missing|dropped|came again|began with|id of another/,
    );
    console.log(`caught in run ${runs}: ${String(failure?.error)}`);
  });

  it('a patch without a fault passes', { timeout: 120_000 }, async () => {
    const { failure } = await check(soundPatch, 20);
    expect(failure?.message).toBeUndefined();
  });
});

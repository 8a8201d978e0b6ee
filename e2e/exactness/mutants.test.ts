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
    // What is missing never comes: there is no point in waiting long for it.
    play: (script) => runLocally(script, { levelMs: 2_000, mutant }),
    shrinks: false,
  });
}

/** The test of the test. */
describe(`within ${RUNS} random scripts`, () => {
  it.each(Object.entries<Mutant>(mutants))('%s is caught', { timeout: 300_000 }, async (_name, mutant) => {
    const { failure, runs } = await check(mutant, RUNS);
    expect(failure?.error).toBeInstanceOf(ExactnessViolation);
    // Not for another reason than what the mutant does: messages that are missing or come twice.
    expect(String(failure?.error)).toMatch(
      /has not come|is owed|missing|dropped|came again|began with|id of another/,
    );
    console.log(`caught in run ${runs}: ${String(failure?.error)}`);
  });

  it('the way in which mutants are put in place is not what is caught', { timeout: 120_000 }, async () => {
    const { failure } = await check(soundPatch, 20);
    expect(failure?.message).toBeUndefined();
  });
});

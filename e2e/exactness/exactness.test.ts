import { describe, expect, it } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import { runLocally } from './local-world.ts';
import { scripts, type Script } from './script.ts';

const RUNS = 200;

describe('every client of two replicas on the embedded log', () => {
  it(
    'receives every change of a key once and in order, from its first message on',
    { timeout: 300_000 },
    async () => {
      const options = {
        runs: RUNS,
        script: scripts({ maxSteps: 50, floods: 'all' }),
        play: (script: Script) => runLocally(script, { completeWithinMs: 20_000 }),
      };
      const { stats, runs, failure } = await checkUntil(
        options,
        ({ dropped, fresh }) => dropped > RUNS / 10 && fresh > 0,
      );
      console.log(`${runs} runs: ${JSON.stringify(stats)}`);
      expect(failure?.message).toBeUndefined();
      if (process.env['SEED_PATH']) return;
      expect(stats.messages).toBeGreaterThan(RUNS * 20);
      expect(stats.resumes).toBeGreaterThan(RUNS);
      expect(stats.kills).toBeGreaterThan(RUNS / 10);
      expect(stats.renewals).toBeGreaterThan(RUNS / 10);
      expect(stats.reuses).toBeGreaterThan(RUNS / 10);
      expect(stats.aborts).toBeGreaterThan(RUNS / 2);
      expect(stats.dropped).toBeGreaterThan(RUNS / 10);
      expect(stats.fresh).toBeGreaterThan(0);
    },
  );
});

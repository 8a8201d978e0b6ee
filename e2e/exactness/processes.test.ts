import { join } from 'node:path';
import { temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import { ProcessWorld } from './process-world.ts';
import { scripts } from './script.ts';

const RUNS = 5;

describe('every client of two processes on one file', () => {
  it(
    'sees each key in order, nothing missing and nothing twice, through SIGKILLs',
    { timeout: 300_000 },
    async () => {
      await using directory = await temporaryDirectory();
      await using world = await ProcessWorld.open({ path: join(directory.path, 'log.sqlite') });
      const { stats, runs, failure } = await checkUntil(
        {
          runs: RUNS,
          script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600 }),
          play: (script) => world.run(script, { levelMs: 20_000 }),
          shrinks: false,
        },
        ({ resumes }) => resumes > RUNS,
      );
      console.log(`${runs} runs: ${JSON.stringify(stats)}`);
      expect(failure?.message).toBeUndefined();
      if (!process.env['SEED_PATH']) expect(stats.resumes).toBeGreaterThan(RUNS);
    },
  );
});

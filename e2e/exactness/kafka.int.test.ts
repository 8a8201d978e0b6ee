import { kafkaBrokersFromEnv } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { checkUntil } from './check-exactness.ts';
import { ProcessWorld } from './process-world.ts';
import { scripts } from './script.ts';

const RUNS = 20;

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: exactness on Kafka; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('every client of two processes on Kafka', () => {
  it(
    'sees each key in order, nothing missing and nothing twice, through SIGKILLs',
    { timeout: 400_000 },
    async () => {
      await using world = await ProcessWorld.open({ brokers: brokers ?? [] });
      const { stats, runs, failure } = await checkUntil(
        {
          runs: RUNS,
          script: scripts({ maxSteps: 50, floods: 'none', shortTokenMs: 600 }),
          play: (script) => world.run(script, { levelMs: 30_000 }),
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

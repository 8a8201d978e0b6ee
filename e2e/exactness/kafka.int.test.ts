import { kafkaBrokersFromEnv } from '@tidegate/testing';
import { describe, it } from 'vitest';
import { checkProcesses } from './check-processes.ts';
import { ProcessWorld } from './process-world.ts';

const RUNS = 20;

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: exactness on Kafka; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('every client of two processes on Kafka', () => {
  it(
    'sees each key in order, nothing missing and nothing twice, through SIGKILLs',
    { timeout: 400_000 },
    async () => {
      await using world = await ProcessWorld.open({ brokers: brokers ?? [] });
      await checkProcesses(world, { runs: RUNS, levelMs: 30_000 });
    },
  );
});

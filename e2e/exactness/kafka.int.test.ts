import { kafkaBrokersFromEnv } from '@tidegate/testing';
import { describe, it } from 'vitest';
import { checkProcesses } from './check-processes.ts';
import { ProcessWorld } from './process-world.ts';

const RUNS = 20;

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: exactness on Kafka; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('every client of two processes on Kafka', () => {
  it('receives every change of a key once and in order, through SIGKILLs', { timeout: 400_000 }, async () => {
    await using world = await ProcessWorld.open({ brokers: brokers ?? [] });
    await checkProcesses(world, { runs: RUNS, completeWithinMs: 30_000 });
  });
});

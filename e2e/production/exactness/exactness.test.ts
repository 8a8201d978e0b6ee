/**
 * Promise: every client receives every change once and in order, while producers of other systems compress, commit and
 * abort, and while brokers freeze, restart and are killed.
 */
import { kafkaLibsFromEnv } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { checkProcesses } from '../../exactness/check-processes.ts';
import { ProcessWorld } from '../../exactness/process-world.ts';
import { TroubledBrokers } from '../../exactness/brokers/troubled-brokers.ts';
import type { RunStats } from '../../exactness/run-stats.ts';

const RUNS = 20;

const libs = kafkaLibsFromEnv();
if (!libs) console.warn('SKIPPED: exactness on three brokers; KAFKA_LIBS is not set');

describe.skipIf(!libs)('every client of two processes on three brokers', () => {
  it('receives every change of a key once and in order', { timeout: 590_000 }, async () => {
    await using brokers = await TroubledBrokers.start(libs!);
    await using world = await ProcessWorld.open({ brokers: brokers.addresses }, brokers);
    let sums: RunStats | undefined;
    const onRun = (_runs: number, stats: RunStats): void => void (sums = stats);
    await checkProcesses(world, { runs: RUNS, completeWithinMs: 60_000, brokers: true, onRun });
    expect(sums?.foreign).toBeGreaterThan(RUNS);
    expect(sums?.troubles).toBeGreaterThan(2);
  });
});

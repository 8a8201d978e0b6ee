import { join } from 'node:path';
import { temporaryDirectory } from '@tidegate/testing';
import { describe, it } from 'vitest';
import { checkProcesses } from './check-processes.ts';
import { ProcessWorld } from './process-world.ts';

const RUNS = 5;

describe('every client of two processes on one file', () => {
  it('receives every change of a key once and in order, through SIGKILLs', { timeout: 300_000 }, async () => {
    await using directory = await temporaryDirectory();
    await using world = await ProcessWorld.open({ path: join(directory.path, 'log.sqlite') });
    await checkProcesses(world, { runs: RUNS, completeWithinMs: 20_000 });
  });
});

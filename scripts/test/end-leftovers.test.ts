import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endLeftovers, TEST_RUN } from './end-leftovers.ts';

const sleeper = (run: string) =>
  spawn('sleep', ['60'], { env: { PATH: process.env['PATH'], [TEST_RUN]: run } });

describe('the processes that a test run leaves behind', () => {
  it('are ended by the name of their run, and no others', async () => {
    const run = randomUUID();
    const [own, other] = [sleeper(run), sleeper(randomUUID())];
    await Promise.all([once(own, 'spawn'), once(other, 'spawn')]);
    const ended = once(own, 'exit');
    expect(endLeftovers(run)).toEqual([own.pid]);
    expect((await ended)[1]).toBe('SIGKILL');
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
    other.kill('SIGKILL');
    expect(endLeftovers(run)).toEqual([]);
  });
});

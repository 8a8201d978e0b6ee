import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { daemonPid, lastLogLines, startDaemon, stopDaemon, type DaemonSpec } from './daemon.ts';

async function withSpec(args: readonly string[], use: (spec: DaemonSpec) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory();
  const spec = {
    name: 'Sleeper',
    command: '/bin/sh',
    args,
    cwd: directory.path,
    pidFile: join(directory.path, 'sleeper.pid'),
    logFile: join(directory.path, 'sleeper.log'),
  };
  try {
    await use(spec);
  } finally {
    await stopDaemon(spec.pidFile, 'SIGKILL');
  }
}

const sleeper = ['-c', 'echo started; while :; do sleep 0.1; done'];
const stubborn = ['-c', 'trap "" TERM; echo started; while :; do sleep 0.1; done'];

describe('a daemon', () => {
  it('is identified by its pid file until it is stopped', () =>
    withSpec(sleeper, async (spec) => {
      const pid = startDaemon(spec);
      await until(() => daemonPid(spec.pidFile) === pid, { what: 'its command line shows' });
      expect(await stopDaemon(spec.pidFile, 'SIGTERM')).toBe(true);
      expect(daemonPid(spec.pidFile)).toBeUndefined();
      expect(existsSync(spec.pidFile)).toBe(false);
      expect(await stopDaemon(spec.pidFile, 'SIGTERM')).toBe(false);
    }));

  it('is killed when it ignores the signal', () =>
    withSpec(stubborn, async (spec) => {
      startDaemon(spec);
      await until(() => lastLogLines(spec.logFile) === 'started', { what: 'it has started' });
      expect(await stopDaemon(spec.pidFile, 'SIGTERM', 100)).toBe(true);
      expect(daemonPid(spec.pidFile)).toBeUndefined();
    }));

  it('is not confused with another process that has its pid', () =>
    withSpec(sleeper, async (spec) => {
      const stranger = spawn('sleep', ['30']);
      await writeFile(
        spec.pidFile,
        JSON.stringify({ pid: stranger.pid, commandLine: 'redis-server --port 1' }),
      );
      expect(daemonPid(spec.pidFile)).toBeUndefined();
      expect(await stopDaemon(spec.pidFile, 'SIGKILL')).toBe(false);
      expect(stranger.signalCode).toBeNull();
      expect(await readFile(`/proc/${stranger.pid}/cmdline`, 'utf8')).toContain('sleep');
      stranger.kill();
    }));

  it('throws an error with the name of a program that does not exist', () =>
    withSpec([], async (spec) => {
      expect(() => startDaemon({ ...spec, command: '/no/such/program' })).toThrow(
        'Sleeper: /no/such/program',
      );
    }));
});

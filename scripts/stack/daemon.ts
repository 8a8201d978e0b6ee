import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { delay } from '@tidegate/runtime/resilience';

export interface DaemonSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** User that the process runs as. Requires root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

interface PidRecord {
  readonly pid: number;
  /** Command line of the process: after a reboot another process may have the same pid. */
  readonly commandLine: string;
}

/** Starts a process that outlives this one. Its output goes to the log file; the pid file identifies it later. */
export function startDaemon(spec: DaemonSpec): number {
  for (const file of [spec.pidFile, spec.logFile]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  try {
    const child = spawn(spec.command, [...spec.args], {
      cwd: spec.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      ...spec.user,
    });
    // Without a listener a missing program would crash this process. The check of `pid` reports it.
    child.once('error', () => {});
    if (child.pid === undefined) throw new Error(`${spec.name}: ${spec.command} could not be started`);
    child.unref();
    const record: PidRecord = { pid: child.pid, commandLine: [spec.command, ...spec.args].join(' ') };
    writeFileSync(spec.pidFile, JSON.stringify(record));
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** Returns the pid of the daemon of a pid file, if that same process is still running. */
export function daemonPid(pidFile: string): number | undefined {
  const record = readPidFile(pidFile);
  if (!record || commandLineOf(record.pid) !== record.commandLine) return undefined;
  return record.pid;
}

/**
 * Ends exactly the process of a pid file: sends `signal`, after `timeoutMs` (default 15 s) SIGKILL. Leaves another
 * process with the same pid alone. Resolves with false when no process was running.
 */
export async function stopDaemon(
  pidFile: string,
  signal: NodeJS.Signals,
  timeoutMs = 15_000,
): Promise<boolean> {
  const pid = daemonPid(pidFile);
  if (pid === undefined) {
    rmSync(pidFile, { force: true });
    return false;
  }
  process.kill(pid, signal);
  const deadline = Date.now() + timeoutMs;
  while (daemonPid(pidFile) !== undefined) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
    await delay(25);
  }
  rmSync(pidFile, { force: true });
  return true;
}

/** Returns the end of a log, for the error of a failed start. Default 15 lines. */
export function lastLogLines(logFile: string, count = 15): string {
  if (!existsSync(logFile)) return '(no log)';
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

function readPidFile(pidFile: string): PidRecord | undefined {
  try {
    return JSON.parse(readFileSync(pidFile, 'utf8')) as PidRecord;
  } catch {
    return undefined;
  }
}

/** Returns undefined when the process is gone. A zombie, whose command line is empty, counts as gone. */
function commandLineOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ') || undefined;
  } catch {
    if (existsSync('/proc/self')) return undefined;
    return (
      spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ||
      undefined
    );
  }
}

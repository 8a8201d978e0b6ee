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
  /** Whose rights it runs with; only root may say so. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

interface PidRecord {
  readonly pid: number;
  /** What the process was called with: a pid is given to others after a restart of the machine. */
  readonly commandLine: string;
}

/** Starts a process that outlives this one, with its output in a file; the pid file is how it is found again. */
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
    // Without a listener a missing program would end this process; `pid` tells the same.
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

/** The pid of the daemon of this pid file, if that very process is still there. */
export function daemonPid(pidFile: string): number | undefined {
  const record = readPidFile(pidFile);
  if (!record || commandLineOf(record.pid) !== record.commandLine) return undefined;
  return record.pid;
}

/**
 * Ends exactly the process of the pid file: asks with `signal`, insists with SIGKILL after `timeoutMs`. A pid that
 * now belongs to something else is left alone. Resolves with false when there was nothing to end.
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

/** The end of its log, for the message when it did not come up. */
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

/** Undefined when the process is gone; a zombie, whose command line is empty, counts as gone. */
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

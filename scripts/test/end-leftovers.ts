import { readdirSync, readFileSync } from 'node:fs';

/** Variable that every process of a test run inherits. */
export const TEST_RUN = 'TIDEGATE_TEST_RUN';

/**
 * Ends the processes that a test run has left behind: an interrupted worker of vitest is killed, and cannot end what it
 * has started. They are found by the run's name in their environment, on Linux only.
 *
 * @returns their ids.
 */
export function endLeftovers(run: string): number[] {
  const pids = processesOf(run).filter((pid) => pid !== process.pid);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  return pids;
}

function processesOf(run: string): number[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => hasRun(pid, run)).map(Number);
  } catch {
    return [];
  }
}

/** The environment of a process of another user cannot be read. */
function hasRun(pid: string, run: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${TEST_RUN}=${run}`);
  } catch {
    return false;
  }
}

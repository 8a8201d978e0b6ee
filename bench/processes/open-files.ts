import { spawnSync } from 'node:child_process';

/** Returns the limit of open files of a process, less 200 for files that are not connections. */
export function maxConnections(): number {
  const limit = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit) - 200;
}

/** Returns `wanted`, or the machine's limit if that is lower, and logs the reduction. */
export function allowedConnections(wanted: number, log: (line: string) => void): number {
  const max = maxConnections();
  if (wanted <= max) return wanted;
  log(`only ${max} connections instead of ${wanted}: see ulimit -Hn`);
  return max;
}

import { spawnSync } from 'node:child_process';

/** How many files a process may open here: with some to spare for what is not a connection. */
export function maxConnections(): number {
  const limit = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit) - 200;
}

/** As many connections as wanted, or as many as this machine allows, said aloud. */
export function allowedConnections(wanted: number, log: (line: string) => void): number {
  const most = maxConnections();
  if (wanted <= most) return wanted;
  log(`only ${most} connections instead of ${wanted}: see ulimit -Hn`);
  return most;
}

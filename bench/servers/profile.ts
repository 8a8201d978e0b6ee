import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';

const SHOWN = 20;

interface Profiled {
  readonly name: string;
  readonly server: ServerProcess;
}

type Log = (line: string) => void;

/**
 * With `BENCH_PROFILE=folder`: runs under the CPU profiler, writes a `.cpuprofile` and logs the most expensive functions.
 * Otherwise only runs.
 */
export async function profiled<T>(
  { name, server }: Profiled,
  round: string,
  log: Log,
  run: () => Promise<T>,
): Promise<T> {
  const folder = process.env['BENCH_PROFILE'];
  if (!folder) return run();
  await mkdir(folder, { recursive: true });
  await server.request('startProfile', undefined);
  const result = await run();
  const functions = await server.request('stopProfile', join(folder, `${name}-${round}.cpuprofile`));
  log(`${name} ${round}: self time`);
  for (const { name: called, place, share } of functions.slice(0, SHOWN))
    log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${called}  ${place}`);
  return result;
}

/** With `BENCH_PROFILE=folder`: runs one more round under the CPU profiler, outside the figures. */
export async function profileRound(
  subject: Profiled,
  round: string,
  log: Log,
  run: () => Promise<unknown>,
): Promise<void> {
  if (process.env['BENCH_PROFILE']) await profiled(subject, round, log, run);
}

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
 * With `BENCH_PROFILE=folder`: runs it under the CPU profiler, whose `.cpuprofile` is written there and whose most
 * expensive functions are printed. Without: just runs it.
 */
export async function profiled<T>(
  { name, server }: Profiled,
  what: string,
  log: Log,
  run: () => Promise<T>,
): Promise<T> {
  const folder = process.env['BENCH_PROFILE'];
  if (!folder) return run();
  await mkdir(folder, { recursive: true });
  await server.request('startProfile', undefined);
  const result = await run();
  const functions = await server.request('stopProfile', join(folder, `${name}-${what}.cpuprofile`));
  log(`${name} ${what}: own time`);
  for (const { name: called, place, share } of functions.slice(0, SHOWN))
    log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${called}  ${place}`);
  return result;
}

/** With `BENCH_PROFILE=folder`: one more round under the CPU profiler, not counted. */
export async function profileRound(
  subject: Profiled,
  what: string,
  log: Log,
  run: () => Promise<unknown>,
): Promise<void> {
  if (process.env['BENCH_PROFILE']) await profiled(subject, what, log, run);
}

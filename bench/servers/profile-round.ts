import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';

const SHOWN = 20;

/**
 * With `BENCH_PROFILE=folder`: one more round under the CPU profiler, not counted, whose `.cpuprofile` is written there
 * and whose most expensive functions are printed.
 */
export async function profileRound(
  subject: { readonly name: string; readonly server: ServerProcess },
  name: string,
  log: (line: string) => void,
  run: () => Promise<unknown>,
): Promise<void> {
  const folder = process.env['BENCH_PROFILE'];
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await subject.server.request('startProfile', undefined);
  await run();
  const functions = await subject.server.request(
    'stopProfile',
    join(folder, `${subject.name}-${name}.cpuprofile`),
  );
  log(`${subject.name} ${name}: own time`);
  for (const { name: called, place, share } of functions.slice(0, SHOWN))
    log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${called}  ${place}`);
}

import { LOAD_CORE, startPinnedProcess, type PinnedProcess } from '../processes/pinned-process.ts';
import type { LoadHandlers } from './load-generator.ts';

export type LoadProcess = PinnedProcess<object, LoadHandlers>;

/** The load generator, in a process of its own on the second core. */
export function startLoad(): Promise<LoadProcess> {
  return startPinnedProcess({ entry: 'load/load-generator.ts', core: LOAD_CORE, options: {} });
}

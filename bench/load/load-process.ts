import { LOAD_CORE, startPinnedProcess, type PinnedProcess } from '../processes/pinned-process.ts';
import type { LoadHandlers } from './load-generator.ts';

export type LoadProcess = PinnedProcess<object, LoadHandlers>;

/** Starts the load generator in its own process on the second core. */
export function startLoad(): Promise<LoadProcess> {
  return startPinnedProcess({ entry: 'load/load-generator.ts', core: LOAD_CORE, options: {} });
}

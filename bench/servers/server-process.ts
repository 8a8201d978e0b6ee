import { SERVER_CORE, startPinnedProcess, type PinnedProcess } from '../processes/pinned-process.ts';
import type { PublishingHandlers, ServerHandlers, ServerReady } from './server-control.ts';
import type { TidegateServerOptions } from './tidegate-server.ts';

/** One of the three servers, in its own process on the first core. */
export type ServerProcess = PinnedProcess<ServerReady, ServerHandlers>;
export type PublishingProcess = PinnedProcess<ServerReady, PublishingHandlers>;

const nodeFlags = ['--expose-gc'];

export function startTidegate(options: TidegateServerOptions): Promise<ServerProcess> {
  return startPinnedProcess({ entry: 'servers/tidegate-server.ts', core: SERVER_CORE, options, nodeFlags });
}

export function startStock(): Promise<PublishingProcess> {
  return startPinnedProcess({ entry: 'servers/stock-server.ts', core: SERVER_CORE, options: {}, nodeFlags });
}

export function startBareWs(): Promise<PublishingProcess> {
  return startPinnedProcess({
    entry: 'servers/bare-ws-server.ts',
    core: SERVER_CORE,
    options: {},
    nodeFlags,
  });
}

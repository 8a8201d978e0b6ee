import { monitorEventLoopDelay } from 'node:perf_hooks';
import { answerRequests, reportReady, type Handlers } from '../processes/requests.ts';
import { CpuProfiler } from './cpu-profile.ts';
import type { TickRequest } from './workload.ts';

/** Resources that one server has used so far. */
export interface Usage {
  /** User and system time of all threads, in seconds. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly subscriptions: number;
}

const MB = 1024 * 1024;

interface ControlledServer {
  readonly port: number;
  readonly subscriptions: () => number;
}

/** Requests that each of the three servers answers. */
function createServerHandlers(server: ControlledServer) {
  const profiler = new CpuProfiler();
  const loopDelay = monitorEventLoopDelay({ resolution: 1 });
  return {
    usage: (): Usage => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed } = process.memoryUsage();
      return {
        cpuSeconds: (user + system) / 1e6,
        rssMb: rss / MB,
        heapMb: heapUsed / MB,
        subscriptions: server.subscriptions(),
      };
    },
    collectGarbage: (): void => {
      globalThis.gc?.();
      globalThis.gc?.();
    },
    startLoopDelay: (): void => {
      loopDelay.reset();
      loopDelay.enable();
    },
    stopLoopDelay: (): { maxMs: number; p99Ms: number } => {
      loopDelay.disable();
      return { maxMs: loopDelay.max / 1e6, p99Ms: loopDelay.percentile(99) / 1e6 };
    },
    startProfile: () => profiler.start(),
    /** Writes a `.cpuprofile` and answers with the most expensive functions. */
    stopProfile: (path: string) => profiler.stop(path),
  };
}

export type ServerHandlers = ReturnType<typeof createServerHandlers>;

export interface ServerReady {
  readonly port: number;
}

/** Handlers of a server without a log: the measurement sends it the ticks. */
export type PublishingHandlers = ServerHandlers & { readonly publish: (request: TickRequest) => void };

/** Answers the measurement's requests. `own` adds handlers of this server. */
export function controlServer(server: ControlledServer, own: Handlers = {}): void {
  answerRequests({ ...createServerHandlers(server), ...own });
  reportReady({ port: server.port } satisfies ServerReady);
}

import { answerRequests, sayReady, type Handlers } from '../processes/requests.ts';
import { createCpuProfile } from './cpu-profile.ts';
import type { TicksWanted } from './workload.ts';

/** What one server has used so far. */
export interface Usage {
  /** User and system time of all its threads, seconds. */
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

/** What a measurement can ask of each of the three servers. */
function createServerHandlers(server: ControlledServer) {
  const profile = createCpuProfile();
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
    startProfile: () => profile.start(),
    /** Writes a `.cpuprofile` and answers with the functions that took the most. */
    stopProfile: (path: string) => profile.stop(path),
  };
}

export type ServerHandlers = ReturnType<typeof createServerHandlers>;

export interface ServerReady {
  readonly port: number;
}

/** Of a server that has no log: it is told of its ticks. */
export type PublishingHandlers = ServerHandlers & { readonly publish: (wanted: TicksWanted) => void };

/** Answers the measurement, with what is particular to this server. */
export function controlServer(server: ControlledServer, particular: Handlers = {}): void {
  answerRequests({ ...createServerHandlers(server), ...particular });
  sayReady({ port: server.port } satisfies ServerReady);
}

import { answerRequests, sayReady } from '../processes/requests.ts';
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

/** What a measurement can ask of each of the three servers. */
export function createServerHandlers(server: {
  /** Makes this happen; resolves when it has been handed over (for Tidegate: appended). */
  readonly publish: (wanted: TicksWanted) => void | Promise<void>;
  readonly subscriptions: () => number;
}) {
  const profile = createCpuProfile();
  return {
    publish: server.publish,
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

export function controlServer(port: number, server: Parameters<typeof createServerHandlers>[0]): void {
  answerRequests(createServerHandlers(server));
  sayReady({ port } satisfies ServerReady);
}

import type { Bff } from '@tidegate/bff';
import type { Logger } from '@tidegate/runtime/telemetry';
import { createServiceClient, type ServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState, type SharedState } from '@tidegate/shared-state';
import { BffServer } from './bff-server.ts';
import type { Plugin } from 'graphql-yoga';
import type { OperationLimits } from './operation-limits.ts';

export interface BffServersOptions {
  readonly bffs: readonly Bff[];
  /** Default: a client that knows no service. */
  readonly services?: ServiceClient | undefined;
  /** Default: memory of this process. */
  readonly state?: SharedState | undefined;
  readonly logger: Logger;
  /** Limits that differ from the defaults of `operationLimits`. */
  readonly limits?: Partial<OperationLimits>;
  readonly trustedOnly: boolean;
  /** Yoga and Envelop plugins around the execution of queries and mutations. Default: none. */
  readonly plugins?: readonly Plugin[] | undefined;
}

/** Maximum entries of the shared state that a process has for itself by default. */
const MAX_SHARED_ENTRIES = 100_000;

/** Creates the server of each BFF. All of them share the service client and the state. */
export function createBffServers(options: BffServersOptions): BffServer[] {
  const {
    bffs,
    services = createServiceClient({ services: {} }),
    state = createMemorySharedState({ maxEntries: MAX_SHARED_ENTRIES }),
    ...rest
  } = options;
  return bffs.map((bff) => new BffServer({ bff, client: services, state, ...rest }));
}

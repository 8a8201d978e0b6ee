import type { EdgeGuards } from '../admission/connection-hold.ts';
import type { LiveMetrics } from '../live/metrics.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { FlushScheduler } from './outbound/flush-scheduler.ts';

/** Options of a live connection of any transport. */
export interface ConnectionOptions {
  readonly guards: EdgeGuards;
  readonly metrics: LiveMetrics;
  /** Shared by all connections of the process. */
  readonly scheduler: FlushScheduler;
  /** Maximum bytes in the outbound queue. */
  readonly maxQueuedBytes: number;
  /** Shared by all connections of the process. */
  readonly heartbeats: Heartbeats;
  /** Approximate maximum age of a connection in milliseconds; 0: no bound. */
  readonly maxConnectionAgeMs: number;
}

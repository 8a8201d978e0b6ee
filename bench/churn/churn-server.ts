/** Entry of the gateway process of a churn: a real gateway on a real log, with a constant flow of ticks. */
import { writeHeapSnapshot } from 'node:v8';
import { createGateway } from '@tidegate/gateway';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { benchOptions } from '../processes/pinned-process.ts';
import { answerRequests, reportReady } from '../processes/requests.ts';
import { benchBff } from '../servers/bench-bff.ts';
import type { ServerReady } from '../servers/server-control.ts';
import { openTickLog, TickWriter, type TickLogPlace } from '../servers/tick-log.ts';
import { activeResources, takeCensus } from './census.ts';

export interface ChurnServerOptions {
  readonly place: TickLogPlace;
  readonly secret: string;
}

/** Short, so that half-open clients are detected within a measurement. */
const HEARTBEAT_MS = 1_000;
/** Small, so that the history is full, and the heap stable, before the first census. */
const HISTORY_BYTES = 1024 * 1024;
const MAX_QUEUED_BYTES = 256 * 1024;

const { place, secret } = benchOptions() as ChurnServerOptions;
const log = await openTickLog(place);
const metrics = createMetrics({ nodeMetrics: false });
const gateway = createGateway({
  bffs: [benchBff],
  log,
  auth: { roles: ['operator'], secret },
  cursorSecrets: [secret],
  metrics,
  trustedOnly: false,
  limits: {
    heartbeatMs: HEARTBEAT_MS,
    historyBytes: HISTORY_BYTES,
    maxQueuedBytes: MAX_QUEUED_BYTES,
    maxConnectionsPerViewer: 1_000_000,
    maxSubscriptionsPerViewer: 1_000_000,
    maxCostPerViewer: 0,
    maxCostPerAddress: 0,
    maxReservationsPerViewer: 1_000_000,
    maxReservationsPerAddress: 1_000_000,
  },
});
await gateway.start(new AbortController().signal);
const writer = new TickWriter(log, place);
let events: NodeJS.Timeout | undefined;

const handlers = {
  /** Appends `count` ticks every `everyMs`; a count of 0 stops the flow. */
  flow: ({ count, everyMs }: { count: number; everyMs: number }): void => {
    clearInterval(events);
    if (count > 0) events = setInterval(() => void writer.append({ count }), everyMs);
  },
  census: () => takeCensus({ gateway, metrics }),
  activeResources: () => activeResources(),
  heapSnapshot: (path: string) => writeHeapSnapshot(path),
};

export type ChurnServerHandlers = typeof handlers;

answerRequests(handlers);
reportReady({ port: Number(new URL(gateway.url).port) } satisfies ServerReady);

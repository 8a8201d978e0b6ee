import { getHeapStatistics } from 'node:v8';
import type { Gateway } from '@tidegate/gateway';
import type { Metrics } from '@tidegate/runtime/telemetry';

/** Resources that a gateway holds for its clients, counted inside its process. All but the heap are exact. */
export interface Census {
  readonly subscriptions: number;
  readonly groups: number;
  /** WebSockets and event streams, as the transports count them. */
  readonly connections: number;
  /** Sockets, timers and servers that keep the event loop alive. */
  readonly activeResources: number;
  readonly listeners: number;
  readonly heapMb: number;
}

const MB = 1024 * 1024;

/** Collects garbage, then counts. */
export async function takeCensus(options: {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
}): Promise<Census> {
  // Twice: finalizers and weak maps of the first collection may release objects for the second.
  globalThis.gc?.();
  globalThis.gc?.();
  return {
    subscriptions: options.gateway.hub.subscriptions,
    groups: options.gateway.hub.groups,
    connections: await gaugeOf(options.metrics, 'tidegate_live_connections'),
    activeResources: activeResources().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heapMb: getHeapStatistics().used_heap_size / MB,
  };
}

/** Returns open handles and timers, by name. One-shot work in progress, e.g. a read of the log, does not count. */
export function activeResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !/Req|Immediate/.test(name));
}

/** Returns the sum of a gauge over its labels. */
async function gaugeOf(metrics: Metrics, name: string): Promise<number> {
  const { body } = await metrics.render();
  const lines = body.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

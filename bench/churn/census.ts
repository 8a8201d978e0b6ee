import { getHeapStatistics } from 'node:v8';
import type { Gateway } from '@tidegate/gateway';
import type { Metrics } from '@tidegate/runtime/telemetry';

/** What a gateway holds for its clients, counted from inside its process. All but the heap are exact. */
export interface Census {
  readonly subscriptions: number;
  readonly groups: number;
  /** WebSockets and event streams, as the transports count them. */
  readonly connections: number;
  /** What keeps the event loop alive: sockets, timers, servers. */
  readonly activeResources: number;
  readonly listeners: number;
  readonly heapMb: number;
}

const MB = 1024 * 1024;

/** @param server every one that clients connect to. */
export async function takeCensus(options: {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
}): Promise<Census> {
  // Twice: what the first finds dead may hold, by finalizers and weak maps, what only the second can take.
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

/**
 * Not one-shot work that is always under way somewhere: a read of the log, a promise's immediate. What leaks stays, and
 * is a handle or a timer.
 */
export function activeResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !/Req|Immediate/.test(name));
}

/** The sum of a gauge over its labels. */
async function gaugeOf(metrics: Metrics, name: string): Promise<number> {
  const { body } = await metrics.render();
  const lines = body.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

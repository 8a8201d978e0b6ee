import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@tidegate/testing';
import { productIds } from '../../e2e/harness/graphql.ts';
import { startEmbedded, testSecrets } from '../../e2e/harness/running-platform.ts';
import { startPinnedProcess, type PinnedProcess } from '../processes/pinned-process.ts';
import type { DemoCounts, DemoLoadHandlers } from './demo-load.ts';
import type { HeapReport } from './heap-probe.ts';

export interface DemoChurnOptions {
  readonly clients: number;
  readonly minutes: number;
  /** Minute of the sample that the last one is compared with: caches and the history are full by then. */
  readonly fromMinute: number;
  readonly log: (line: string) => void;
  /** Folder for a heap snapshot at `fromMinute` and at the end. Default: none. */
  readonly snapshots?: string | undefined;
}

export interface DemoChurned extends DemoCounts {
  /** Heap after a collection at `fromMinute`. */
  readonly before: HeapReport;
  /** Heap after a collection at the end, while the clients go on. */
  readonly after: HeapReport;
}

const MINUTE_MS = 60_000;

/**
 * Runs the embedded order platform with demo traffic under clients that reconnect all the time. Resolves with the heap
 * of the server at `fromMinute` and at the end.
 */
export async function demoChurn(options: DemoChurnOptions): Promise<DemoChurned> {
  const { clients, minutes, fromMinute, log, snapshots } = options;
  const heapPort = await freePort();
  const preload = new URL('heap-probe.ts', import.meta.url).href;
  await using platform = await startEmbedded({
    DEMO: '1',
    BENCH_HEAP_PORT: String(heapPort),
    NODE_OPTIONS: `--import=${preload}`,
  });
  const port = Number(new URL(platform.webUrl).port);
  await using load: PinnedProcess<object, DemoLoadHandlers> = await startPinnedProcess({
    entry: 'churn/demo-load.ts',
    core: 1,
    options: { port, secret: testSecrets.JWT_SECRET, productIds: await productIds(platform.webUrl) },
  });
  await load.request('start', { clients });
  let before: HeapReport | undefined;
  let after: HeapReport | undefined;
  for (let minute = 1; minute <= minutes; minute++) {
    await pause(MINUTE_MS);
    const isSample = minute === fromMinute || minute === minutes;
    const snapshot =
      isSample && snapshots !== undefined ? `${snapshots}/minute-${minute}.heapsnapshot` : undefined;
    after = await readHeap(heapPort, snapshot);
    if (minute === fromMinute) before = after;
    const { connections, cutOff } = await load.request('counts', undefined);
    log(
      `minute ${minute}: heap ${after.heapMb.toFixed(2)} MB, RSS ${after.rssMb.toFixed(0)} MB, ${connections} connections, ${cutOff} cut off`,
    );
  }
  const counts = await load.request('counts', undefined);
  await load.request('stop', undefined);
  return { ...counts, before: before!, after: after! };
}

async function readHeap(port: number, snapshot: string | undefined): Promise<HeapReport> {
  const search = snapshot === undefined ? '' : `?${new URLSearchParams({ snapshot }).toString()}`;
  const response = await fetch(`http://127.0.0.1:${port}/${search}`);
  return (await response.json()) as HeapReport;
}

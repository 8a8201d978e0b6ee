/**
 * Slow consumers: the effect of clients that stop reading on the other clients and on memory.
 *
 * Measured in pairs of equal periods with 2,000 clients: first all of them read, then 1 % (20) are paused. The slow
 * clients also subscribe to large ticks, in both periods, which fill their queues.
 *
 * Figures: `all.p99Ms` and `someSlow.p99Ms`, delay from append to receipt by a reading client; `p99Ratio`, the median
 * of their ratio over the pairs: 1 is ideal. `all.rssMb`, `someSlow.rssMb` and `slowMb`, their difference, which must
 * stay near `queuesBoundMb`, the configured limit of all slow queues together. `rssBeforeMb`: memory before the pairs.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryDirectory } from '@tidegate/testing';
import { bench } from './bench-token.ts';
import type { Delays } from './load/load-group.ts';
import { startLoad, type LoadProcess } from './load/load-process.ts';
import { openGroup, receive } from './load/open-group.ts';
import { median } from './percentiles.ts';
import { joinServerCore } from './processes/pinned-process.ts';
import { startTidegate, type ServerProcess } from './servers/server-process.ts';
import { openTickLog, TickWriter } from './servers/tick-log.ts';
import { BULK_KEY, TICK_OF_KEY, TICKS } from './servers/workload.ts';
import type { Measurement } from './run.ts';

const CLIENTS = 2_000;
const SLOW = CLIENTS / 100;
const PAIRS = 9;
const PERIOD_MS = 4_000;
const TICK_EVERY_MS = 100;
/**
 * Slow clients get these large ticks besides the small ones: the kernel buffers of a paused client hold megabytes
 * before anything is queued in the gateway.
 */
const BULK_BYTES = 64 * 1024;
const BULK_PER_TICK = 3;
const MAX_QUEUED_BYTES = 1024 * 1024;
/** Small, so that the history is full before the comparison and does not add to memory during it. */
const HISTORY_BYTES = 4 * 1024 * 1024;
const GROUP = 'slow';
const MB = 1024 * 1024;

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  await using directory = await temporaryDirectory();
  await using load = await startLoad();
  joinServerCore();
  const place = { path: join(directory.path, 'log.sqlite') };
  const limits = { maxQueuedBytes: MAX_QUEUED_BYTES, historyBytes: HISTORY_BYTES };
  await using stack = new AsyncDisposableStack();
  const tickLog = stack.adopt(await openTickLog(place), (opened) => opened.close());
  const writer = new TickWriter(tickLog, place);
  await using server = await startTidegate({ place, secret: bench.secret, limits });
  log(`connecting ${CLIENTS} clients`);
  await openGroup(load, GROUP, {
    port: server.ready.port,
    path: '/graphql/bench',
    token: await bench.token(),
    connections: CLIENTS,
    query: TICKS,
    bulk: { connections: SLOW, query: TICK_OF_KEY, key: BULK_KEY },
    sampleEvery: 5,
  });
  await writer.append({ count: 50 });
  await receive(load, GROUP, 50 * CLIENTS);
  await measurePeriod(writer, server, load);
  const before = await memory(server);
  const { subscriptions } = await server.request('usage', undefined);
  const pairs: { all: Period; some: Period }[] = [];
  for (let count = 0; count < PAIRS; count++) {
    await memory(server);
    const all = await measurePeriod(writer, server, load);
    await load.request('pause', { name: GROUP, count: SLOW });
    await memory(server);
    const some = await measurePeriod(writer, server, load);
    const usage = await server.request('usage', undefined);
    await load.request('resume', { name: GROUP, count: SLOW });
    pairs.push({ all, some });
    log(
      `pair ${count + 1}/${PAIRS}: p99 ${all.delays.p99Ms.toFixed(1)} ms, with ${SLOW} slow clients ` +
        `${some.delays.p99Ms.toFixed(1)} ms; ${subscriptions - usage.subscriptions} subscriptions ended; ` +
        `RSS at most ${all.rssMb.toFixed(0)} and ${some.rssMb.toFixed(0)} MB`,
    );
  }
  const medianOf = (figure: (pair: { all: Period; some: Period }) => number): number =>
    median(pairs.map(figure));
  return {
    clients: CLIENTS,
    slow: SLOW,
    'all.p99Ms': medianOf(({ all }) => all.delays.p99Ms),
    'someSlow.p99Ms': medianOf(({ some }) => some.delays.p99Ms),
    p99Ratio: medianOf(({ all, some }) => some.delays.p99Ms / all.delays.p99Ms),
    'all.rssMb': medianOf(({ all }) => all.rssMb),
    'someSlow.rssMb': medianOf(({ some }) => some.rssMb),
    slowMb: medianOf(({ all, some }) => some.rssMb - all.rssMb),
    rssBeforeMb: before,
    // Each queue may exceed its limit by one message.
    queuesBoundMb: (SLOW * (MAX_QUEUED_BYTES + BULK_BYTES)) / MB,
  };
}

interface Period {
  readonly delays: Delays;
  /** Maximum seen during the period. */
  readonly rssMb: number;
}

/** Publishes ticks for one period. Resolves with the delays of reading clients and the maximum memory. */
async function measurePeriod(writer: TickWriter, server: ServerProcess, load: LoadProcess): Promise<Period> {
  await load.request('takeDelays', GROUP);
  let rssMb = 0;
  for (let elapsedMs = 0; elapsedMs < PERIOD_MS; elapsedMs += TICK_EVERY_MS) {
    await writer.append({ count: 1 });
    await writer.append({ count: BULK_PER_TICK, key: BULK_KEY, resultBytes: BULK_BYTES });
    if (elapsedMs % 500 === 0) rssMb = Math.max(rssMb, (await server.request('usage', undefined)).rssMb);
    await pause(TICK_EVERY_MS);
  }
  return { delays: await load.request('takeDelays', GROUP), rssMb };
}

/** Collects garbage, then returns the server's memory in MiB. */
async function memory(server: ServerProcess): Promise<number> {
  await server.request('collectGarbage', undefined);
  return (await server.request('usage', undefined)).rssMb;
}

const slow: Measurement = {
  description: 'effect of 1 % of 2,000 clients that stop reading on the others and on memory',
  measure,
};
export default slow;

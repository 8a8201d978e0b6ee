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
const HALF_MS = 4_000;
const TICK_EVERY_MS = 100;
/**
 * The slow ones get large ticks of their own beside the small ones that all get, in both halves of a pair: a paused
 * client's kernel buffers take megabytes before anything waits in the gateway.
 */
const BULK_BYTES = 64 * 1024;
const BULK_PER_TICK = 3;
const MAX_QUEUED_BYTES = 1024 * 1024;
/** Small, so that it is full before anything is compared: else memory grows with it whoever reads or not. */
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
  await half(writer, server, load);
  const before = await memory(server);
  const { subscriptions } = await server.request('usage', undefined);
  const pairs: { all: Half; some: Half }[] = [];
  for (let count = 0; count < PAIRS; count++) {
    await memory(server);
    const all = await half(writer, server, load);
    await load.request('pause', { name: GROUP, count: SLOW });
    await memory(server);
    const some = await half(writer, server, load);
    const usage = await server.request('usage', undefined);
    await load.request('resume', { name: GROUP, count: SLOW });
    pairs.push({ all, some });
    log(
      `pair ${count + 1}/${PAIRS}: p99 ${all.delays.p99Ms.toFixed(1)} ms, with ${SLOW} slow ones ` +
        `${some.delays.p99Ms.toFixed(1)} ms; ${subscriptions - usage.subscriptions} subscriptions ended; ` +
        `RSS at most ${all.rssMb.toFixed(0)} and ${some.rssMb.toFixed(0)} MB`,
    );
  }
  const medianOf = (of: (pair: { all: Half; some: Half }) => number): number => median(pairs.map(of));
  return {
    clients: CLIENTS,
    slow: SLOW,
    'all.p99Ms': medianOf(({ all }) => all.delays.p99Ms),
    'someSlow.p99Ms': medianOf(({ some }) => some.delays.p99Ms),
    p99Ratio: medianOf(({ all, some }) => some.delays.p99Ms / all.delays.p99Ms),
    'all.rssMb': medianOf(({ all }) => all.rssMb),
    'someSlow.rssMb': medianOf(({ some }) => some.rssMb),
    /** What the slow ones took. */
    slowMb: medianOf(({ all, some }) => some.rssMb - all.rssMb),
    rssBeforeMb: before,
    /** What the queues of the slow ones may hold altogether, each one message over its bound. */
    queuesBoundMb: (SLOW * (MAX_QUEUED_BYTES + BULK_BYTES)) / MB,
  };
}

interface Half {
  readonly delays: Delays;
  readonly rssMb: number;
}

/** Some seconds of ticks: the delays of those who read, and the most memory that was seen. */
async function half(writer: TickWriter, server: ServerProcess, load: LoadProcess): Promise<Half> {
  await load.request('takeDelays', GROUP);
  let rssMb = 0;
  for (let elapsedMs = 0; elapsedMs < HALF_MS; elapsedMs += TICK_EVERY_MS) {
    await writer.append({ count: 1 });
    await writer.append({ count: BULK_PER_TICK, key: BULK_KEY, resultBytes: BULK_BYTES });
    if (elapsedMs % 500 === 0) rssMb = Math.max(rssMb, (await server.request('usage', undefined)).rssMb);
    await pause(TICK_EVERY_MS);
  }
  return { delays: await load.request('takeDelays', GROUP), rssMb };
}

async function memory(server: ServerProcess): Promise<number> {
  await server.request('collectGarbage', undefined);
  return (await server.request('usage', undefined)).rssMb;
}

const slow: Measurement = {
  description: 'what 1 % of 2,000 clients that stop reading do to the others, and to memory',
  measure,
};
export default slow;

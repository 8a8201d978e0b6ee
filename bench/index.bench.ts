/**
 * Subscription index: the CPU cost of one event for one key.
 *
 * Measured on two gateways in turn, one with 100 and one with 50,000 subscriptions on distinct keys. Each event matches
 * one subscription. The cost must not grow with the number of subscriptions that do not match.
 *
 * Figures: `few.cpuPerTickUs` and `many.cpuPerTickUs`, CPU time of the gateway per event in µs beyond its idle use;
 * `costRatio`, the median of `many / few` over neighbouring rounds: 1 is ideal. `few.idleShare` and `many.idleShare`:
 * share of a core that heartbeats and cursors use without events. `many.rssMb`: memory with 50,000 subscriptions.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryDirectory } from '@tidegate/testing';
import { bench } from './bench-token.ts';
import { startLoad, type LoadProcess } from './load/load-process.ts';
import { openGroup, receive } from './load/open-group.ts';
import { median } from './percentiles.ts';
import { startTidegate, type ServerProcess } from './servers/server-process.ts';
import { profileRound } from './servers/profile.ts';
import { openTickLog, TickWriter } from './servers/tick-log.ts';
import { TICK_OF_KEY } from './servers/workload.ts';
import type { Measurement } from './run.ts';

const FEW_SUBSCRIPTIONS = 100;
const MANY_SUBSCRIPTIONS = 50_000;
const PER_CONNECTION = 100;
/** Key with one subscription on each gateway. */
const KEY = 'k7';
const PAIRS = 11;
const TICKS = 5_000;
const BATCH = 100;
const WARM_UP_ROUNDS = 3;
const IDLE_MS = 5_000;

/** One gateway with subscriptions on distinct keys, and its own log, which this process appends to. */
interface Subject extends AsyncDisposable {
  readonly name: string;
  readonly server: ServerProcess;
  readonly writer: TickWriter;
  received: number;
  /** Share of its core that the gateway uses without events, for heartbeats and cursors, 0 to 1. */
  idleShare: number;
}

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  await using directory = await temporaryDirectory();
  await using load = await startLoad();
  await using few = await startSubject('few', FEW_SUBSCRIPTIONS, load, directory.path);
  log(`subscribing to ${MANY_SUBSCRIPTIONS} keys`);
  await using many = await startSubject('many', MANY_SUBSCRIPTIONS, load, directory.path);
  for (const subject of [few, many]) {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await costPerTick(subject, load);
    subject.idleShare = await measureIdleShare(subject);
  }
  const pairs: { few: number; many: number }[] = [];
  for (let count = 0; count < PAIRS; count++) {
    // The gateways alternate in going first: a machine that slows down over time favours neither.
    const first = count % 2 === 0 ? few : many;
    const costs = { [first.name]: await costPerTick(first, load) };
    const second = first === few ? many : few;
    costs[second.name] = await costPerTick(second, load);
    pairs.push({ few: costs['few']!, many: costs['many']! });
    log(
      `pair ${count + 1}/${PAIRS}: ${costs['few']!.toFixed(1)} µs and ${costs['many']!.toFixed(1)} µs a tick`,
    );
  }
  for (const subject of [few, many])
    await profileRound(subject, 'index', log, () => costPerTick(subject, load));
  const { rssMb } = await many.server.request('usage', undefined);
  return {
    subscriptions: MANY_SUBSCRIPTIONS,
    connections: MANY_SUBSCRIPTIONS / PER_CONNECTION,
    'few.cpuPerTickUs': median(pairs.map((pair) => pair.few)),
    'many.cpuPerTickUs': median(pairs.map((pair) => pair.many)),
    costRatio: median(pairs.map((pair) => pair.many / pair.few)),
    'few.idleShare': few.idleShare,
    'many.idleShare': many.idleShare,
    'many.rssMb': rssMb,
  };
}

async function startSubject(
  name: string,
  subscriptions: number,
  load: LoadProcess,
  directory: string,
): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const place = { path: join(directory, `${name}.sqlite`) };
  const log = await openTickLog(place);
  stack.defer(() => log.close());
  const limits = { maxSubscriptionsPerConnection: PER_CONNECTION };
  const server = stack.use(await startTidegate({ place, secret: bench.secret, limits }));
  await openGroup(load, name, {
    port: server.ready.port,
    path: '/graphql/bench',
    token: await bench.token(),
    connections: subscriptions / PER_CONNECTION,
    query: TICK_OF_KEY,
    keys: { perConnection: PER_CONNECTION },
  });
  stack.defer(() => load.request('close', name));
  const usage = await server.request('usage', undefined);
  if (usage.subscriptions < subscriptions) throw new Error(`${name}: ${usage.subscriptions} subscriptions`);
  // Garbage of the subscribing must not count as a cost of the ticks.
  await server.request('collectGarbage', undefined);
  const moved = stack.move();
  return {
    name,
    server,
    writer: new TickWriter(log, place),
    received: 0,
    idleShare: 0,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** Measures the idle use of the gateway, which is not a cost of events. */
async function measureIdleShare({ server }: Subject): Promise<number> {
  const before = await server.request('usage', undefined);
  await pause(IDLE_MS);
  const after = await server.request('usage', undefined);
  return (after.cpuSeconds - before.cpuSeconds) / (IDLE_MS / 1000);
}

/** Measures the gateway's CPU time per tick, in µs, beyond its idle use. Another process appends the ticks. */
async function costPerTick(subject: Subject, load: LoadProcess): Promise<number> {
  const { name, server, writer } = subject;
  const startedAt = performance.now();
  const before = await server.request('usage', undefined);
  for (let ticks = 0; ticks < TICKS; ticks += BATCH) {
    await writer.append({ count: BATCH, key: KEY });
    subject.received += BATCH;
    await receive(load, name, subject.received);
  }
  const after = await server.request('usage', undefined);
  const idleSeconds = (subject.idleShare * (performance.now() - startedAt)) / 1000;
  return ((after.cpuSeconds - before.cpuSeconds - idleSeconds) * 1e6) / TICKS;
}

const index: Measurement = {
  description: 'CPU cost of an event for one key with 100 and with 50,000 subscriptions on distinct keys',
  measure,
};
export default index;

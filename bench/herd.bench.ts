import { join } from 'node:path';
import { temporaryDirectory } from '@tidegate/testing';
import { bench } from './bench-token.ts';
import { startLoad, type LoadProcess } from './load/load-process.ts';
import { openGroup, receive } from './load/open-group.ts';
import { allowedConnections } from './processes/open-files.ts';
import { profiled } from './servers/profile.ts';
import { startTidegate } from './servers/server-process.ts';
import { openTickLog, TickWriter } from './servers/tick-log.ts';
import { KEYS, TICKS } from './servers/workload.ts';
import type { Measurement } from './run.ts';

/** Fewer by `BENCH_CLIENTS`, for a look while something is being changed. */
const CLIENTS = Number(process.env['BENCH_CLIENTS'] ?? 5_000);
/** Ticks of every key before the cut: each client has a cursor. */
const ROUNDS_BEFORE = 1;
const TICKS_BETWEEN = 1_000;
/** And live again after it. */
const ROUNDS_AFTER = 1;
const LEVEL_TIMEOUT_MS = 75_000;
const GROUP = 'herd';

type Log = (line: string) => void;

/** Each client wants every tick: 1,000 missed ones, five million deliveries to be level again. */
async function measure(log: Log): Promise<Record<string, number>> {
  const clients = allowedConnections(CLIENTS, log);
  await using directory = await temporaryDirectory();
  const place = { path: join(directory.path, 'log.sqlite') };
  const tickLog = await openTickLog(place);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => tickLog.close());
  const writer = new TickWriter(tickLog, place);
  const load = stack.use(await startLoad());
  const options = { place, secret: bench.secret };
  const first = stack.use(await startTidegate(options));
  const second = stack.use(await startTidegate(options));

  log(`connecting ${clients} clients to the first replica`);
  await openGroup(load, GROUP, {
    port: first.ready.port,
    path: '/graphql/bench',
    token: await bench.token(),
    connections: clients,
    query: TICKS,
    track: { keys: KEYS, seen: 0 },
  });
  let appended = ROUNDS_BEFORE * KEYS;
  await writer.append({ count: appended });
  await receive(load, GROUP, appended * clients, LEVEL_TIMEOUT_MS);

  log('SIGKILL to the first replica');
  await first.kill();
  if (!(await load.request('allClosed', GROUP))) throw new Error('not every client noticed the cut');
  await writer.append({ count: TICKS_BETWEEN });
  appended += TICKS_BETWEEN;

  const usedBefore = await second.request('usage', undefined);
  const figures = await profiled({ name: 'second', server: second }, 'comeback', log, () =>
    comeBack(load, second.ready.port, appended, log),
  );
  const used = await second.request('usage', undefined);
  if (figures.behind === 0) {
    await writer.append({ count: ROUNDS_AFTER * KEYS });
    appended += ROUNDS_AFTER * KEYS;
    await load.request('level', { name: GROUP, versions: appended, timeoutMs: LEVEL_TIMEOUT_MS });
  }
  const { reconnects, closed } = await load.request('counts', GROUP);
  log(`closed and back again: ${reconnects} ${JSON.stringify(closed)}`);
  const { lost, repeated } = await load.request('verdict', { name: GROUP, versions: appended });
  log(`lost ${lost}, repeated ${repeated}`);
  return {
    clients,
    ticks: appended,
    ...figures,
    reconnects,
    lost,
    repeated,
    'server.cpuSeconds': used.cpuSeconds - usedBefore.cpuSeconds,
    'server.rssMb': used.rssMb,
  };
}

/** All at once on the other replica, each with its cursor. */
async function comeBack(load: LoadProcess, port: number, versions: number, log: Log) {
  log('all come back on the second replica');
  const startedMs = performance.now();
  const elapsed = (): number => (performance.now() - startedMs) / 1000;
  const connected = load
    .request('reopen', { name: GROUP, port })
    .then(({ open, refused, firstRefusal = '' }) => {
      log(
        `each has tried by ${elapsed().toFixed(1)} s: ${open} connected, ${refused} refused ${firstRefusal}`,
      );
      return elapsed();
    })
    // Given up, the load generator is ended while they still connect.
    .catch(() => Number.NaN);
  const level = await load.request('level', { name: GROUP, versions, timeoutMs: LEVEL_TIMEOUT_MS });
  const levelSeconds = elapsed();
  const { behind } = await load.request('verdict', { name: GROUP, versions });
  if (level) log(`all are level after ${levelSeconds.toFixed(1)} s`);
  else log(`${behind} were not level after ${levelSeconds.toFixed(0)} s: given up`);
  return { levelSeconds, behind, connectedSeconds: level ? await connected : Number.NaN };
}

const herd: Measurement = {
  description: '5,000 clients cut off at once and back on another replica, 1,000 events later',
  measure,
};
export default herd;

/**
 * Mass reconnect ("thundering herd"): all clients lose their replica at once and resume on another one.
 *
 * Every client subscribes to every tick. The first replica gets SIGKILL, 1,000 ticks are appended, then all clients
 * connect to the second replica at once with their cursors: 5,000,000 deliveries until all have caught up.
 *
 * Figures: `levelSeconds`, time until every client has received everything, and `connectedSeconds`, until each has
 * connected (NaN when they did not catch up in time); `behind`, `lost` and `repeated`, which must be 0; `reconnects`,
 * connections that were closed again and retried; `server.cpuSeconds` and `server.rssMb` of the second replica.
 * `clients` and `ticks` describe the load. `BENCH_CLIENTS` sets the number of clients, default 5,000.
 */
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

const CLIENTS = Number(process.env['BENCH_CLIENTS'] ?? 5_000);
/** Ticks of each key before the cut, which give each client a cursor. */
const ROUNDS_BEFORE = 1;
const TICKS_BETWEEN = 1_000;
/** Ticks of each key after the clients have caught up. */
const ROUNDS_AFTER = 1;
const CATCH_UP_TIMEOUT_MS = 75_000;
const GROUP = 'herd';

type Log = (line: string) => void;

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
  await receive(load, GROUP, appended * clients, CATCH_UP_TIMEOUT_MS);

  log('SIGKILL to the first replica');
  await first.kill();
  if (!(await load.request('allClosed', GROUP))) throw new Error('not every client noticed the cut');
  await writer.append({ count: TICKS_BETWEEN });
  appended += TICKS_BETWEEN;

  const usedBefore = await second.request('usage', undefined);
  const figures = await profiled({ name: 'second', server: second }, 'reconnect', log, () =>
    reconnect(load, second.ready.port, appended, log),
  );
  const used = await second.request('usage', undefined);
  if (figures.behind === 0) {
    await writer.append({ count: ROUNDS_AFTER * KEYS });
    appended += ROUNDS_AFTER * KEYS;
    await load.request('caughtUp', { name: GROUP, versions: appended, timeoutMs: CATCH_UP_TIMEOUT_MS });
  }
  const { reconnects, closed } = await load.request('counts', GROUP);
  log(`closed and reconnected: ${reconnects} ${JSON.stringify(closed)}`);
  const { lost, repeated } = await load.request('deliveries', { name: GROUP, versions: appended });
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

/** Reconnects all clients at once to the second replica, each with its cursor, and waits until they have caught up. */
async function reconnect(load: LoadProcess, port: number, versions: number, log: Log) {
  log('reconnecting all clients to the second replica');
  const startedMs = performance.now();
  const elapsed = (): number => (performance.now() - startedMs) / 1000;
  const connected = load
    .request('reopen', { name: GROUP, port })
    .then(({ open, refused, firstRefusal = '' }) => {
      log(
        `all have attempted to connect by ${elapsed().toFixed(1)} s: ${open} connected, ${refused} refused ${firstRefusal}`,
      );
      return elapsed();
    })
    // After a timeout the load generator is stopped while clients are still connecting.
    .catch(() => Number.NaN);
  const caughtUp = await load.request('caughtUp', { name: GROUP, versions, timeoutMs: CATCH_UP_TIMEOUT_MS });
  const levelSeconds = elapsed();
  const { behind } = await load.request('deliveries', { name: GROUP, versions });
  if (caughtUp) log(`all have caught up after ${levelSeconds.toFixed(1)} s`);
  else log(`${behind} had not caught up after ${levelSeconds.toFixed(0)} s: stopped`);
  return { levelSeconds, behind, connectedSeconds: caughtUp ? await connected : Number.NaN };
}

const herd: Measurement = {
  description: '5,000 clients cut off at once and resumed on another replica, 1,000 events later',
  measure,
};
export default herd;

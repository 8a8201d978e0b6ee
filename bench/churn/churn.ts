import { join } from 'node:path';
import { temporaryDirectory, until } from '@tidegate/testing';
import { bench } from '../bench-token.ts';
import { startPinnedProcess, type PinnedProcess } from '../processes/pinned-process.ts';
import type { ServerReady } from '../servers/server-control.ts';
import type { Census } from './census.ts';
import type { ChurnLoadHandlers } from './churn-load.ts';
import type { ChurnServerHandlers } from './churn-server.ts';

export interface ChurnOptions {
  readonly clientsPerRound: number;
  /** Rounds before the first census: they fill caches and the history, and compile the code. */
  readonly warmUpRounds: number;
  /** Returns true to run another round, given the number of rounds so far. */
  readonly keepGoing: (rounds: number) => boolean;
  readonly log: (line: string) => void;
}

export interface Churned {
  readonly rounds: number;
  readonly clients: number;
  readonly messages: number;
  /** Clients that the gateway disconnected early. */
  readonly cutOff: number;
  readonly before: Census;
  readonly after: Census;
}

type Server = PinnedProcess<ServerReady, ChurnServerHandlers>;

const FLOW = { count: 8, everyMs: 20 };
const LEAVE_TIMEOUT_MS = 60_000;

/**
 * Runs rounds of clients that connect, subscribe and leave in every way, under a constant flow of ticks. Resolves with
 * the gateway's resources after the warm-up and after the last round.
 */
export async function churn(options: ChurnOptions): Promise<Churned> {
  await using directory = await temporaryDirectory();
  const place = { path: join(directory.path, 'log.sqlite') };
  await using server: Server = await startPinnedProcess({
    entry: 'churn/churn-server.ts',
    core: 0,
    options: { place, secret: bench.secret },
    nodeFlags: ['--expose-gc'],
  });
  await using load: PinnedProcess<object, ChurnLoadHandlers> = await startPinnedProcess({
    entry: 'churn/churn-load.ts',
    core: 1,
    options: { port: server.ready.port, token: await bench.token() },
  });
  const clients = options.clientsPerRound;
  await server.request('flow', FLOW);
  for (let round = 0; round < options.warmUpRounds; round++) await load.request('round', { clients });
  const before = await censusWhenGone(server);
  await snapshotHeap(server, 'before');
  await server.request('flow', FLOW);
  let [rounds, messages, cutOff] = [0, 0, 0];
  for (; options.keepGoing(rounds); rounds++) {
    const counts = await load.request('round', { clients });
    messages += counts.messages;
    cutOff += counts.cutOff;
    options.log(`round ${rounds + 1}: ${counts.clients} clients, ${messages} messages so far`);
  }
  const after = await censusWhenGone(server, before);
  await snapshotHeap(server, 'after');
  return { rounds, clients: rounds * clients, messages, cutOff, before, after };
}

/** Counts once the gateway has noticed the end of every connection; half-open ones end by heartbeat. */
async function censusWhenGone(server: Server, wanted?: Census): Promise<Census> {
  await server.request('flow', { count: 0, everyMs: 0 });
  // The subscription of the liveness probe stays.
  const isGone = ({ connections, activeResources }: Census): boolean =>
    connections === 0 && (!wanted || activeResources === wanted.activeResources);
  let census = await server.request('census', undefined);
  await until(async () => isGone((census = await server.request('census', undefined))), {
    what: 'the gateway to release every connection',
    timeoutMs: LEAVE_TIMEOUT_MS,
    everyMs: 250,
  }).catch(() => undefined);
  return census;
}

/** With `BENCH_HEAP=folder`: writes a heap snapshot, to be compared in Chromium's tools. */
async function snapshotHeap(server: Server, name: string): Promise<void> {
  const folder = process.env['BENCH_HEAP'];
  if (folder) await server.request('heapSnapshot', join(folder, `${name}.heapsnapshot`));
}

/** Returns the difference of each count. Without a leak all are 0, except for a small growth of the heap. */
export function growth({ before, after }: Churned) {
  return {
    subscriptions: after.subscriptions - before.subscriptions,
    groups: after.groups - before.groups,
    connections: after.connections - before.connections,
    activeResources: after.activeResources - before.activeResources,
    listeners: after.listeners - before.listeners,
    heapGrowthMb: after.heapMb - before.heapMb,
  };
}

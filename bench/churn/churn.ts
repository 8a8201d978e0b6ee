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
  /** Rounds before anything is counted: documents are cached, code is compiled, the history is full. */
  readonly warmUpRounds: number;
  /** Whether to go on after so many rounds. */
  readonly goesOn: (rounds: number) => boolean;
  readonly log: (line: string) => void;
}

export interface Churned {
  readonly rounds: number;
  readonly clients: number;
  readonly messages: number;
  /** Of the clients: those whose connection was ended before its time. */
  readonly cutOff: number;
  readonly before: Census;
  readonly after: Census;
}

type Server = PinnedProcess<ServerReady, ChurnServerHandlers>;

const FLOW = { count: 8, everyMs: 20 };
const LEAVE_TIMEOUT_MS = 60_000;

/**
 * Clients come, subscribe, and go in every way there is, with events flowing; resolves with what the gateway held
 * before the first and after the last of them.
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
  const before = await countWhenGone(server);
  await snapshotHeap(server, 'before');
  await server.request('flow', FLOW);
  let [rounds, messages, cutOff] = [0, 0, 0];
  for (; options.goesOn(rounds); rounds++) {
    const counts = await load.request('round', { clients });
    messages += counts.messages;
    cutOff += counts.cutOff;
    options.log(`round ${rounds + 1}: ${counts.clients} clients, ${messages} messages so far`);
  }
  const after = await countWhenGone(server, before);
  await snapshotHeap(server, 'after');
  return { rounds, clients: rounds * clients, messages, cutOff, before, after };
}

/** When the last client's connections were found gone, by heartbeat those that said nothing. */
async function countWhenGone(server: Server, wanted?: Census): Promise<Census> {
  await server.request('flow', { count: 0, everyMs: 0 });
  // What stays is the canary's subscription.
  const isGone = ({ connections, activeResources }: Census): boolean =>
    connections === 0 && (!wanted || activeResources === wanted.activeResources);
  let census = await server.request('census', undefined);
  await until(async () => isGone((census = await server.request('census', undefined))), {
    what: 'the gateway to be rid of clients that are gone',
    timeoutMs: LEAVE_TIMEOUT_MS,
    everyMs: 250,
  }).catch(() => undefined);
  return census;
}

/** For finding out what grew: `BENCH_HEAP=folder` gets two heap snapshots, to be compared in Chromium's tools. */
async function snapshotHeap(server: Server, name: string): Promise<void> {
  const folder = process.env['BENCH_HEAP'];
  if (folder) await server.request('heapSnapshot', join(folder, `${name}.heapsnapshot`));
}

/** By how much each count differs: 0 is wanted of all, and of the heap next to nothing. */
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

import { join } from 'node:path';
import type { LoadProcess } from '../load/load-process.ts';
import { openGroup, receive } from '../load/open-group.ts';
import { startBareWs, startStock, startTidegate, type ServerProcess } from '../servers/server-process.ts';
import { openTickLog, TickWriter, type TickLogPlace } from '../servers/tick-log.ts';
import { TICKS, type TicksWanted } from '../servers/workload.ts';
import { bench } from '../bench-token.ts';
import { burstRound } from './rounds.ts';

export const subjectNames = ['tidegate', 'stock', 'bareWs'] as const;
export type SubjectName = (typeof subjectNames)[number];

/** One server with its connections, ready to be measured. */
export interface Subject extends AsyncDisposable {
  readonly name: SubjectName;
  readonly group: string;
  readonly server: ServerProcess;
  /**
   * Makes this happen: resolves when it is in the log, or the server was told. Who appends is no part of the server
   * under measurement, as services are no part of a gateway.
   */
  readonly publish: (wanted: TicksWanted) => Promise<void>;
  readonly connections: number;
  /** What a subscribed connection took, before any traffic. */
  readonly rssPerConnectionKb: number;
}

const paths: Readonly<Record<SubjectName, string>> = {
  tidegate: '/graphql/bench',
  stock: '/graphql',
  bareWs: '/',
};
const FIRST_TICKS = 10;

/** Starts a server, subscribes so many connections to all ticks and warms both sides up. */
export async function startSubject(
  name: SubjectName,
  options: {
    readonly connections: number;
    readonly load: LoadProcess;
    readonly directory: string;
    readonly place?: TickLogPlace;
    readonly warmUp: { readonly batchTicks: number; readonly forMs: number };
  },
): Promise<Subject> {
  const { connections, load, directory, place } = options;
  const group = `${name}-${connections}`;
  await using stack = new AsyncDisposableStack();
  const { server, publish } = await startServer(
    name,
    place ?? { path: join(directory, `${group}.sqlite`) },
    stack,
  );
  await server.request('collectGarbage', undefined);
  const before = await server.request('usage', undefined);
  await openGroup(load, group, {
    port: server.ready.port,
    path: paths[name],
    token: await bench.token(),
    connections,
    query: TICKS,
  });
  stack.defer(() => load.request('close', group));
  await server.request('collectGarbage', undefined);
  const after = await server.request('usage', undefined);
  if (after.subscriptions < connections) throw new Error(`${name}: ${after.subscriptions} subscriptions`);
  const subject: Subject = {
    name,
    group,
    server,
    publish,
    connections,
    rssPerConnectionKb: ((after.rssMb - before.rssMb) * 1024) / connections,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
  await everyTickArrives(subject, load);
  // A server that has run for hours has compiled what it does for every event: so have these, each for the same time.
  await burstRound(subject, load, options.warmUp);
  // What batches leave behind is no part of what single ticks cost.
  await server.request('collectGarbage', undefined);
  const moved = stack.move();
  return subject;
}

async function startServer(
  name: SubjectName,
  place: TickLogPlace,
  stack: AsyncDisposableStack,
): Promise<Pick<Subject, 'server' | 'publish'>> {
  if (name === 'tidegate') {
    const log = stack.adopt(await openTickLog(place), (opened) => opened.close());
    const writer = new TickWriter(log, place);
    const server = stack.use(await startTidegate({ place, secret: bench.secret }));
    return { server, publish: (wanted) => writer.append(wanted) };
  }
  const server = stack.use(await (name === 'stock' ? startStock() : startBareWs()));
  return { server, publish: async (wanted) => server.tell('publish', wanted) };
}

/** The proof that every connection gets every tick. */
async function everyTickArrives({ group, publish, connections }: Subject, load: LoadProcess): Promise<void> {
  for (let tick = 1; tick <= FIRST_TICKS; tick++) {
    await publish({ count: 1 });
    await receive(load, group, tick * connections);
  }
}

import { join } from 'node:path';
import { bench } from '../bench-token.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { openGroup, receive } from '../load/open-group.ts';
import { startBareWs, startStock, startTidegate } from '../servers/server-process.ts';
import { openTickLog, TickWriter, type TickLogPlace } from '../servers/tick-log.ts';
import { TICKS } from '../servers/workload.ts';
import { burstRound } from './rounds.ts';
import type { Subject, SubjectName } from './subject.ts';

const paths: Readonly<Record<SubjectName, string>> = {
  tidegate: '/graphql/bench',
  stock: '/graphql',
  bareWs: '/',
};
const FIRST_TICKS = 10;

/** Starts a server, subscribes its connections to all ticks and warms up both sides. */
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
  await verifyDelivery(subject, load);
  // Each server gets the same time to compile its hot path, as a server that has run for hours.
  await burstRound(subject, load, options.warmUp);
  // The garbage of the warm-up batches must not count as a cost of single ticks.
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
    return { server, publish: (ticks) => writer.append(ticks) };
  }
  const server = stack.use(await (name === 'stock' ? startStock() : startBareWs()));
  return { server, publish: async (ticks) => server.tell('publish', ticks) };
}

/** Verifies that every connection receives every tick. */
async function verifyDelivery({ group, publish, connections }: Subject, load: LoadProcess): Promise<void> {
  for (let tick = 1; tick <= FIRST_TICKS; tick++) {
    await publish({ count: 1 });
    await receive(load, group, tick * connections);
  }
}

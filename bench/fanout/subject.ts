import { join } from 'node:path';
import type { LoadProcess } from '../load/load-process.ts';
import { openGroup, receive } from '../load/open-group.ts';
import { startBareWs, startStock, startTidegate, type ServerProcess } from '../servers/server-process.ts';
import type { TickLogPlace } from '../servers/tick-log.ts';
import { TICKS } from '../servers/workload.ts';
import { bench } from '../bench-token.ts';

export const subjectNames = ['tidegate', 'stock', 'bareWs'] as const;
export type SubjectName = (typeof subjectNames)[number];

/** One server with its connections, ready to be measured. */
export interface Subject extends AsyncDisposable {
  readonly name: SubjectName;
  readonly group: string;
  readonly server: ServerProcess;
  readonly connections: number;
  /** What a subscribed connection took, before any traffic. */
  readonly rssPerConnectionKb: number;
}

const paths: Readonly<Record<SubjectName, string>> = {
  tidegate: '/graphql/bench',
  stock: '/graphql',
  bareWs: '/',
};
const WARM_UP_TICKS = 100;

/** Starts a server, subscribes so many connections to all ticks and warms both sides up. */
export async function startSubject(
  name: SubjectName,
  options: { connections: number; load: LoadProcess; directory: string; place?: TickLogPlace },
): Promise<Subject> {
  const { connections, load, directory, place } = options;
  const group = `${name}-${connections}`;
  const server = await startServer(name, place ?? { path: join(directory, `${group}.sqlite`) });
  await server.request('collectGarbage', undefined);
  const before = await server.request('usage', undefined);
  await openGroup(load, group, {
    port: server.ready.port,
    path: paths[name],
    token: await bench.token(),
    connections,
    query: TICKS,
  });
  await server.request('collectGarbage', undefined);
  const after = await server.request('usage', undefined);
  if (after.subscriptions < connections) throw new Error(`${name}: ${after.subscriptions} subscriptions`);
  const subject: Subject = {
    name,
    group,
    server,
    connections,
    rssPerConnectionKb: ((after.rssMb - before.rssMb) * 1024) / connections,
    [Symbol.asyncDispose]: async () => {
      await load.request('close', group);
      await server.kill();
    },
  };
  await warmUp(subject, load);
  return subject;
}

function startServer(name: SubjectName, place: TickLogPlace): Promise<ServerProcess> {
  if (name === 'tidegate') return startTidegate({ place, secret: bench.secret });
  return name === 'stock' ? startStock() : startBareWs();
}

/** Also the proof that every connection gets every tick. */
async function warmUp({ group, server, connections }: Subject, load: LoadProcess): Promise<void> {
  const ticks = Math.max(10, Math.min(WARM_UP_TICKS, 100_000 / connections));
  for (let tick = 1; tick <= ticks; tick++) {
    await server.request('publish', { count: 1 });
    await receive(load, group, tick * connections);
  }
  await load.request('takeDelays', group);
}

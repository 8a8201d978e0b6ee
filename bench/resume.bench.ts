/**
 * Resume: what clients that have missed much cost the others.
 *
 * Ten clients resume at once over 20,000 changes each, from ten cursors, so that none shares a replay. Meanwhile one more
 * client pings the gateway.
 *
 * Figures: `loopDelayMaxMs` and `loopDelayP99Ms`, delay of the gateway's event loop; `pongMaxMs` and `pongP99Ms`, from
 * the other client's ping to its pong; the same with the prefix `idle.`, before the resume; `seconds`, until all have
 * caught up.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryDirectory } from '@tidegate/testing';
import { WebSocket } from 'ws';
import { bench } from './bench-token.ts';
import { percentile } from './percentiles.ts';
import { startPinnedProcess, type PinnedProcess } from './processes/pinned-process.ts';
import type { ResumeLoadHandlers } from './resume/resume-load.ts';
import { startTidegate, type ServerProcess } from './servers/server-process.ts';
import { openTickLog, TickWriter } from './servers/tick-log.ts';
import type { Measurement } from './run.ts';

const CLIENTS = 10;
const CHANGES = 20_000;
const CHANGES_PER_APPEND = 1_000;
const PING_EVERY_MS = 5;
const IDLE_MS = 3_000;

type Figures = Record<string, number>;

async function measure(log: (line: string) => void): Promise<Figures> {
  await using directory = await temporaryDirectory();
  const place = { path: join(directory.path, 'log.sqlite') };
  await using stack = new AsyncDisposableStack();
  const tickLog = stack.adopt(await openTickLog(place), (opened) => opened.close());
  const writer = new TickWriter(tickLog, place);
  const token = await bench.token();
  const first = await startTidegate({ place, secret: bench.secret });
  const cursors = await readCursors(writer, first, token);
  await first.kill();
  log(`appending ${CHANGES} changes`);
  for (let count = 0; count < CHANGES; count += CHANGES_PER_APPEND)
    await writer.append({ count: CHANGES_PER_APPEND });

  // Another replica: the changes are not in its history.
  const server = stack.use(await startTidegate({ place, secret: bench.secret }));
  const load = stack.use(await startLoad(server, token));
  const idle = await observe(server, () => pause(IDLE_MS));
  log(`resuming ${CLIENTS} clients over ${CHANGES} changes each`);
  const startedMs = performance.now();
  const busy = await observe(server, () => load.request('resume', { cursors, changes: CHANGES }));
  const seconds = (performance.now() - startedMs) / 1000;
  const idleFigures = Object.entries(idle).map(([name, value]) => [`idle.${name}`, value] as const);
  return { ...busy, ...Object.fromEntries(idleFigures), seconds };
}

function startLoad(server: ServerProcess, token: string): Promise<PinnedProcess<object, ResumeLoadHandlers>> {
  return startPinnedProcess({
    entry: 'resume/resume-load.ts',
    core: 1,
    options: { port: server.ready.port, token },
  });
}

/** Returns as many cursors as there are clients. Between two of them a change is appended. */
async function readCursors(writer: TickWriter, server: ServerProcess, token: string): Promise<string[]> {
  await using load = await startLoad(server, token);
  const cursors: string[] = [];
  while (cursors.length < CLIENTS) {
    await writer.append({ count: 1 });
    cursors.push(await load.request('cursor', undefined));
  }
  return cursors;
}

/** Measures the delays of the gateway's event loop and of pongs while `work` runs. */
async function observe(server: ServerProcess, work: () => Promise<unknown>): Promise<Figures> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.ready.port}/graphql/bench`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  const pongsMs: number[] = [];
  let isDone = false;
  const pinging = (async () => {
    while (!isDone) {
      const sentMs = performance.now();
      socket.send('{"type":"ping"}');
      await once(socket, 'message');
      pongsMs.push(performance.now() - sentMs);
      await pause(PING_EVERY_MS);
    }
  })();
  await server.request('startLoopDelay', undefined);
  await work();
  const { maxMs, p99Ms } = await server.request('stopLoopDelay', undefined);
  isDone = true;
  await pinging;
  socket.terminate();
  return {
    loopDelayMaxMs: maxMs,
    loopDelayP99Ms: p99Ms,
    pongMaxMs: Math.max(...pongsMs),
    pongP99Ms: percentile(pongsMs, 0.99),
  };
}

const resume: Measurement = {
  description: 'ten clients that resume over 20,000 changes each: delay of the others',
  measure,
};
export default resume;

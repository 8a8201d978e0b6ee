/** Entry of the process that runs the clients of the bench `resume`. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { benchOptions } from '../processes/pinned-process.ts';
import { answerRequests, reportReady } from '../processes/requests.ts';
import { TICKS } from '../servers/workload.ts';

export interface ResumeLoadOptions {
  readonly port: number;
  readonly token: string;
}

const { port, token } = benchOptions() as ResumeLoadOptions;
const NEXT = Buffer.from('"type":"next"');

/** Opens a connection that subscribes to all ticks after a cursor; without one, from now on. */
async function open(cursor?: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql/bench`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  const extensions = cursor === undefined ? {} : { extensions: { cursor } };
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: TICKS, ...extensions } }));
  return socket;
}

/** Resolves when this many changes have arrived. */
function received(socket: WebSocket, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve, reject) => {
    socket.on('close', (code) => reject(new Error(`closed with ${code} after ${seen} changes`)));
    socket.on('message', (data: Buffer) => {
      if (data.includes(NEXT)) seen += 1;
      if (seen === count) resolve();
    });
  });
}

interface Positioned {
  readonly payload?: { readonly tidegate?: { readonly cursors?: Readonly<Record<string, string>> } };
}

const handlers = {
  /** Returns the present cursor of a subscription. */
  cursor: async (): Promise<string> => {
    const socket = await open();
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer];
      const cursor = (JSON.parse(data.toString()) as Positioned).payload?.tidegate?.cursors?.['1'];
      if (cursor === undefined) continue;
      socket.close();
      return cursor;
    }
  },
  /** Resumes one client after each cursor, all at once. Resolves when each has received this many changes. */
  resume: async ({ cursors, changes }: { cursors: readonly string[]; changes: number }): Promise<void> => {
    const sockets = await Promise.all(cursors.map((cursor) => open(cursor)));
    await Promise.all(sockets.map((socket) => received(socket, changes)));
    for (const socket of sockets) socket.terminate();
  },
};

export type ResumeLoadHandlers = typeof handlers;

answerRequests(handlers);
reportReady({});

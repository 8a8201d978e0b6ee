import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { BENCH_PATH, TICK_OF_KEY, TICKS } from './churn-documents.ts';

/** How a client's connection ends. */
export const fates = ['close', 'unsubscribe', 'reload', 'vanish', 'half-open'] as const;
export type Fate = (typeof fates)[number];

export interface ChurnClientOptions {
  readonly port: number;
  readonly token: string;
  readonly transport: 'websocket' | 'sse';
  readonly fate: Fate;
}

/** One connection of a client, with one subscription to a key of many and one to everything. */
interface ChurnConnection {
  readonly messages: number;
  readonly cursor: string | undefined;
  /** Resolves when so many messages have come; rejects when the connection is gone before. */
  received(count: number): Promise<void>;
  unsubscribe(): void;
  /** As a client that is done does. */
  close(): void;
  /** Its socket is destroyed, without a word. */
  vanish(): void;
  /** Reads nothing any more and answers no ping; the connection stays. */
  freeze(): void;
}

const MESSAGES = 3;
/** Long enough to miss two heartbeats. */
const FROZEN_MS = 2_500;

export interface ChurnedClient {
  readonly messages: number;
  /** Its connection was ended before its time: a machine that is busy elsewhere keeps it from answering a ping. */
  readonly isCutOff: boolean;
}

/** A client's whole life; resolves when it is gone. */
export async function churnClient(options: ChurnClientOptions): Promise<ChurnedClient> {
  try {
    return { messages: await live(options), isCutOff: false };
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    return { messages: error.messages, isCutOff: true };
  }
}

class GoneError extends Error {
  readonly messages: number;

  constructor(messages: number, why: string) {
    super(`gone after ${messages} messages: ${why}`);
    this.messages = messages;
  }
}

async function live(options: ChurnClientOptions): Promise<number> {
  const connect = options.transport === 'sse' ? openStream : openSocket;
  const connection = await connect(options, undefined);
  await connection.received(MESSAGES);
  let { messages } = connection;
  switch (options.fate) {
    case 'close':
      connection.close();
      break;
    case 'unsubscribe':
      connection.unsubscribe();
      await pause(20);
      connection.close();
      break;
    case 'reload': {
      connection.close();
      const again = await connect(options, connection.cursor);
      await again.received(MESSAGES);
      messages += again.messages;
      again.close();
      break;
    }
    case 'vanish':
      connection.vanish();
      break;
    case 'half-open':
      connection.freeze();
      await pause(FROZEN_MS);
      connection.vanish();
  }
  return messages;
}

/** Counts what comes, and tells who waits for it. */
class Receipts {
  messages = 0;
  cursor: string | undefined;
  #gone: string | undefined;
  #waiting: {
    readonly count: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  take(cursor: string | undefined): void {
    this.messages += 1;
    this.cursor = cursor ?? this.cursor;
    for (const { count, resolve } of this.#waiting) if (this.messages >= count) resolve();
  }

  end(why: string): void {
    this.#gone = why;
    for (const { count, reject } of this.#waiting)
      if (this.messages < count) reject(new GoneError(this.messages, why));
  }

  received(count: number): Promise<void> {
    if (this.messages >= count) return Promise.resolve();
    if (this.#gone !== undefined) return Promise.reject(new GoneError(this.messages, this.#gone));
    return new Promise((resolve, reject) => this.#waiting.push({ count, resolve, reject }));
  }
}

async function openSocket(options: ChurnClientOptions, cursor: string | undefined): Promise<ChurnConnection> {
  const receipts = new Receipts();
  const socket = new WebSocket(`ws://127.0.0.1:${options.port}${BENCH_PATH}`, 'graphql-transport-ws');
  const send = (message: object): void => socket.send(JSON.stringify(message));
  socket.on('error', (error) => receipts.end(error.message));
  socket.on('close', (code) => receipts.end(`closed with ${code}`));
  socket.on('message', (data: Buffer) => {
    const { type, payload, id } = JSON.parse(data.toString()) as SocketMessage;
    if (type === 'connection_ack') {
      send({ id: '1', type: 'subscribe', payload: subscription(TICKS, {}, cursor) });
      send({
        id: '2',
        type: 'subscribe',
        payload: subscription(TICK_OF_KEY, { key: randomKey() }, undefined),
      });
    } else if (type === 'ping') send({ type: 'pong' });
    else if (type === 'next' && id === '1') receipts.take(payload?.extensions?.cursor);
    else if (type === 'error') receipts.end(data.toString());
  });
  await once(socket, 'open');
  send({ type: 'connection_init', payload: { authorization: `Bearer ${options.token}` } });
  return {
    get messages() {
      return receipts.messages;
    },
    get cursor() {
      return receipts.cursor;
    },
    received: (count) => receipts.received(count),
    unsubscribe: () => {
      for (const id of ['1', '2']) send({ id, type: 'complete' });
    },
    close: () => socket.close(1000),
    vanish: () => socket.terminate(),
    freeze: () => socket.pause(),
  };
}

async function openStream(options: ChurnClientOptions, cursor: string | undefined): Promise<ChurnConnection> {
  const receipts = new Receipts();
  const search = new URLSearchParams({ query: TICKS });
  const opened = request(`http://127.0.0.1:${options.port}${BENCH_PATH}?${search.toString()}`, {
    agent: false,
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${options.token}`,
      ...(cursor !== undefined && { 'last-event-id': cursor }),
    },
  });
  opened.on('error', (error) => receipts.end(error.message));
  opened.on('close', () => receipts.end('the stream ended'));
  opened.end();
  const [response] = (await once(opened, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`an event stream was refused with ${response.statusCode}`);
  response.on('error', () => undefined);
  let rest = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    const events = (rest + text).split('\n\n');
    rest = events.pop()!;
    for (const event of events) if (event.includes('\ndata: ')) receipts.take(/^id: (\S+)/m.exec(event)?.[1]);
  });
  const leave = (): void => void opened.destroy();
  return {
    get messages() {
      return receipts.messages;
    },
    get cursor() {
      return receipts.cursor;
    },
    received: (count) => receipts.received(count),
    unsubscribe: leave,
    close: leave,
    vanish: leave,
    freeze: () => void response.pause(),
  };
}

interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: { readonly extensions?: { readonly cursor?: string } };
}

function subscription(query: string, variables: object, cursor: string | undefined): object {
  return { query, variables, ...(cursor !== undefined && { extensions: { cursor } }) };
}

/** Of so many that nearly every subscription makes a group and an index term of its own. */
function randomKey(): string {
  return `k${Math.floor(Math.random() * 100_000)}`;
}

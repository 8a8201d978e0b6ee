import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Receipts, type ChurnConnection, type ChurnConnectionOptions } from './churn-connection.ts';

/** Resolves when the socket is open. */
export async function openChurnWebSocket(options: ChurnConnectionOptions): Promise<ChurnConnection> {
  const connection = new ChurnWebSocket(options);
  await connection.open();
  return connection;
}

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: { readonly extensions?: { readonly cursor?: string } };
}

class ChurnWebSocket implements ChurnConnection {
  readonly #options: ChurnConnectionOptions;
  readonly #receipts = new Receipts();
  readonly #socket: WebSocket;

  constructor(options: ChurnConnectionOptions) {
    this.#options = options;
    this.#socket = new WebSocket(
      `ws://127.0.0.1:${options.port}${options.workload.path}`,
      'graphql-transport-ws',
    );
    this.#socket.on('error', (error) => this.#receipts.end(error.message));
    this.#socket.on('close', (code) => this.#receipts.end(`closed with ${code}`));
    this.#socket.on('message', (data: Buffer) => this.#receive(data.toString()));
  }

  get messages(): number {
    return this.#receipts.messages;
  }

  get cursor(): string | undefined {
    return this.#receipts.cursor;
  }

  async open(): Promise<void> {
    await once(this.#socket, 'open');
    this.#send({ type: 'connection_init', payload: { authorization: `Bearer ${this.#options.token}` } });
  }

  received(count: number): Promise<void> {
    return this.#receipts.received(count);
  }

  unsubscribe(): void {
    for (const id of ['1', '2']) this.#send({ id, type: 'complete' });
  }

  resubscribe(): void {
    this.unsubscribe();
    this.#subscribe(this.cursor);
  }

  close(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  freeze(): void {
    this.#socket.pause();
  }

  #receive(text: string): void {
    const { type, payload, id } = JSON.parse(text) as Message;
    if (type === 'connection_ack') this.#subscribe(this.#options.cursor);
    else if (type === 'ping') this.#send({ type: 'pong' });
    else if (type === 'next' && id === '1') this.#receipts.add(payload?.extensions?.cursor);
    else if (type === 'error') this.#receipts.end(text);
  }

  #subscribe(cursor: string | undefined): void {
    const { query, keyed } = this.#options.workload;
    const extensions = cursor === undefined ? {} : { extensions: { cursor } };
    this.#send({ id: '1', type: 'subscribe', payload: { query, variables: {}, ...extensions } });
    const { values, variable } = keyed;
    const variables = { [variable]: values[Math.floor(Math.random() * values.length)] };
    this.#send({ id: '2', type: 'subscribe', payload: { query: keyed.query, variables } });
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

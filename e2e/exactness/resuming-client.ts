import { ExactnessViolation, ExpectedView, type OperationSpec, type Payload } from './expected-view.ts';
import { BFF_PATH, ownerOf } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';
import { WebSocket } from 'ws';

const COME_BACK_MS = 3;
/** Close codes that say "come back": 45xx, and a connection that broke without one. */
const comesBack = (code: number): boolean => code === 1005 || code === 1006 || (code >= 4503 && code < 4600);
/** Errors of an operation that mean the same. */
const temporary = new Set(['UNAVAILABLE', 'SLOW_CONSUMER', 'DRAINING']);

interface Operation {
  readonly spec: OperationSpec;
  readonly view: ExpectedView;
  cursor: string | undefined;
  /** On the present connection; undefined while not subscribed. */
  id: string | undefined;
}

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

export interface ResumingClientOptions {
  readonly operations: readonly OperationSpec[];
  readonly writer: ItemWriter;
  /** The address of a replica that is up, if possible this one; undefined while none is. */
  readonly urlOf: (replica: number) => string | undefined;
  readonly onViolation: (error: Error) => void;
  readonly onResume: () => void;
}

/**
 * A client of graphql-transport-ws as the protocol allows one to be: keeps nothing but the cursor of each operation's
 * last message, comes back with it whenever the server or the network ends its connection, and may vanish, read
 * slowly, unsubscribe. Shows every message to the oracle.
 */
export class ResumingClient {
  readonly #options: ResumingClientOptions;
  readonly #operations: Operation[];
  #socket: WebSocket | undefined;
  #replica = 0;
  #wanted = false;
  #acknowledged = false;
  #ids = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ResumingClientOptions) {
    this.#options = options;
    this.#operations = options.operations.map((spec) => ({
      spec,
      view: new ExpectedView(spec, options.writer),
      cursor: undefined,
      id: undefined,
    }));
  }

  get views(): readonly ExpectedView[] {
    return this.#operations.map(({ view }) => view);
  }

  /** Connects unless it is connected; subscribes again to what it had unsubscribed. */
  connect(replica: number): void {
    this.#wanted = true;
    if (!this.#socket) return this.#open(replica);
    this.#subscribeAll();
  }

  /** Is gone, without a word. */
  vanish(): void {
    const socket = this.#leave();
    socket?.terminate();
  }

  /** Closes as a client that is done does. */
  close(): void {
    const socket = this.#leave();
    socket?.resume();
    socket?.close(1000);
    // A server that never answers must not keep the run's socket.
    if (socket) setTimeout(() => socket.terminate(), 100).unref();
  }

  /** Ends its first operation by the protocol and keeps the connection. */
  unsubscribe(): void {
    const operation = this.#operations[0]!;
    if (operation.id === undefined || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#send({ id: operation.id, type: 'complete' });
    operation.id = undefined;
  }

  /** Stops reading; what is sent meanwhile waits in the kernel and in the gateway. */
  pause(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #leave(): WebSocket | undefined {
    const socket = this.#socket;
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#forget();
    return socket;
  }

  #forget(): void {
    this.#socket = undefined;
    this.#acknowledged = false;
    for (const operation of this.#operations) operation.id = undefined;
  }

  #open(replica: number): void {
    clearTimeout(this.#timer);
    const url = this.#options.urlOf(replica);
    this.#replica = replica;
    if (url === undefined) return this.#comeBackLater();
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${BFF_PATH}`, 'graphql-transport-ws');
    this.#socket = socket;
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      if (this.#socket === socket) this.#guarded(() => this.#take(JSON.parse(data.toString()) as Message));
    });
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      if (this.#socket !== socket) return;
      this.#forget();
      if (!comesBack(code))
        this.#options.onViolation(new ExactnessViolation(`closed: ${code} ${reason.toString()}`));
      else this.#comeBackLater();
    });
  }

  #comeBackLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wanted && this.#open(this.#replica + 1), COME_BACK_MS);
  }

  #take(message: Message): void {
    if (message.type === 'connection_ack') {
      this.#acknowledged = true;
      return this.#subscribeAll();
    }
    if (message.type === 'ping') return this.#takePing(message.payload);
    const operation = this.#operations.find(({ id }) => id !== undefined && id === message.id);
    // What was on its way when the client unsubscribed.
    if (!operation) return;
    if (message.type === 'next') this.#takeNext(operation, message.payload as Payload);
    if (message.type === 'complete')
      throw new ExactnessViolation(`${operation.view.toString()}: completed by itself`);
    if (message.type === 'error') this.#takeError(operation, message.payload);
  }

  #takeNext(operation: Operation, payload: Payload): void {
    operation.view.take(payload);
    operation.cursor = payload.extensions!.cursor;
  }

  #takePing(payload: unknown): void {
    this.#send({ type: 'pong' });
    const { cursors } =
      (payload as { tidegate?: { cursors?: Record<string, string> } } | undefined)?.tidegate ?? {};
    for (const operation of this.#operations) {
      const cursor = operation.id === undefined ? undefined : cursors?.[operation.id];
      if (cursor === undefined) continue;
      operation.cursor = cursor;
      operation.view.accept();
    }
  }

  #takeError(operation: Operation, payload: unknown): void {
    const codes = (payload as { extensions?: { code?: string } }[]).map(({ extensions }) => extensions?.code);
    if (!codes.every((code) => code !== undefined && temporary.has(code))) {
      throw new ExactnessViolation(`${operation.view.toString()}: refused: ${JSON.stringify(payload)}`);
    }
    operation.id = undefined;
    this.#timer = setTimeout(() => this.#subscribeAll(), COME_BACK_MS);
  }

  #subscribeAll(): void {
    if (!this.#acknowledged || this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const operation of this.#operations) if (operation.id === undefined) this.#subscribe(operation);
  }

  #subscribe(operation: Operation): void {
    const { spec, cursor, view } = operation;
    operation.id = String((this.#ids += 1));
    if (cursor === undefined) view.asked();
    else this.#options.onResume();
    const payload = { ...documentOf(spec), ...(cursor !== undefined && { extensions: { cursor } }) };
    this.#send({ id: operation.id, type: 'subscribe', payload });
  }

  #send(message: Message): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onViolation(error as Error);
    }
  }
}

function documentOf({ field, key, slow }: OperationSpec): {
  query: string;
  variables: Record<string, string>;
} {
  const selection = `{ key version text pad ${slow ? 'slow ' : ''}}`;
  if (field === 'items') return { query: `subscription { items ${selection} }`, variables: {} };
  if (field === 'owned') {
    return {
      query: `subscription ($owner: ID!) { owned(owner: $owner) ${selection} }`,
      variables: { owner: ownerOf(key) },
    };
  }
  return { query: `subscription ($key: ID!) { ${field}(key: $key) ${selection} }`, variables: { key } };
}

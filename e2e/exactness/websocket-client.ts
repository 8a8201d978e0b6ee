import { WebSocket } from 'ws';
import type { Socket } from 'node:net';
import { createOperation, documentOf, isTemporary, type ClientOperation } from './client-operation.ts';
import { ClientTokens } from './client-tokens.ts';
import { ExactnessViolation, type ExpectedView, type Payload } from './expected-view.ts';
import { BFF_PATH } from './item-bff.ts';
import { RECONNECT_MS, type ResumingClient, type ResumingClientOptions } from './resuming-client.ts';

const TOKEN_EXPIRED = 4401;
/** True when a client reconnects: close codes 4503 to 4599, and a connection that broke without one. */
const isTemporaryClose = (code: number): boolean =>
  code === 1005 || code === 1006 || (code >= 4503 && code < 4600);

interface SocketOperation extends ClientOperation {
  /** Id on the present connection; undefined while not subscribed. */
  id: string | undefined;
  /**
   * Ping that was sent between `complete` and the next `subscribe` under the same id. Messages before its pong belong to
   * the operation before.
   */
  barrier: number | undefined;
}

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** Client of graphql-transport-ws. */
export class WebSocketClient implements ResumingClient {
  readonly #options: ResumingClientOptions;
  readonly #operations: SocketOperation[];
  readonly #tokens: ClientTokens;
  #socket: WebSocket | undefined;
  #replica = 0;
  #isWanted = false;
  #isAcknowledged = false;
  #ids = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Local port of the clogged connection. */
  #clogged: number | undefined;

  constructor(options: ResumingClientOptions) {
    this.#options = options;
    this.#tokens = new ClientTokens(options);
    this.#operations = options.operations.map((spec) => ({
      ...createOperation(spec, options.writer),
      id: undefined,
      barrier: undefined,
    }));
  }

  get views(): readonly ExpectedView[] {
    return this.#operations.map(({ view }) => view);
  }

  connect(replica: number): void {
    this.#isWanted = true;
    if (!this.#socket) return this.#open(replica);
    this.#subscribeAll();
  }

  vanish(): void {
    const socket = this.#leave();
    socket?.terminate();
  }

  close(): void {
    const socket = this.#leave();
    socket?.resume();
    socket?.close(1000);
    // A server that never answers must not keep the socket open.
    if (socket) setTimeout(() => socket.terminate(), 100).unref();
  }

  unsubscribe(): void {
    const operation = this.#operations[0]!;
    if (operation.id === undefined || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#send({ id: operation.id, type: 'complete' });
    operation.id = operation.barrier = undefined;
  }

  resubscribe(): boolean {
    const operation = this.#operations[0]!;
    const { id } = operation;
    if (id === undefined || this.#socket?.readyState !== WebSocket.OPEN) return false;
    const { _socket: tcp } = this.#socket as unknown as { _socket: Socket };
    operation.barrier = this.#ids += 1;
    tcp.cork();
    this.#send({ id, type: 'complete' });
    this.#send({ type: 'ping', payload: { barrier: operation.barrier } });
    this.#subscribe(operation, id);
    tcp.uncork();
    return true;
  }

  pause(): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.pause();
    this.#clog(this.#socket);
    return true;
  }

  resume(): void {
    this.#unclog();
    this.#socket?.resume();
  }

  renew(): void {
    if (!this.#isAcknowledged || this.#socket?.readyState !== WebSocket.OPEN) return;
    const authorization = `Bearer ${this.#tokens.create()}`;
    this.#send({ type: 'ping', payload: { tidegate: { authorization } } });
  }

  settle(): void {
    this.#tokens.settle();
    this.renew();
  }

  #leave(): WebSocket | undefined {
    const socket = this.#socket;
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#forget();
    return socket;
  }

  #clog(socket: WebSocket): void {
    const { localPort } = (socket as unknown as { _socket: Socket })._socket;
    if (localPort === undefined) return;
    this.#clogged = localPort;
    this.#options.clog(localPort, true);
  }

  #unclog(): void {
    if (this.#clogged !== undefined) this.#options.clog(this.#clogged, false);
    this.#clogged = undefined;
  }

  #forget(): void {
    this.#unclog();
    this.#socket = undefined;
    this.#isAcknowledged = false;
    for (const operation of this.#operations) operation.id = operation.barrier = undefined;
  }

  #open(replica: number): void {
    clearTimeout(this.#timer);
    const url = this.#options.urlOf(replica);
    this.#replica = replica;
    if (url === undefined) return this.#reconnectLater();
    const headers = { authorization: `Bearer ${this.#tokens.create()}` };
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${BFF_PATH}`, 'graphql-transport-ws', {
      headers,
    });
    this.#socket = socket;
    socket.on('open', () => {
      const authorization = `Bearer ${this.#tokens.create()}`;
      this.#tokens.useNewest();
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    });
    socket.on('message', (data: Buffer) => {
      if (this.#socket === socket) this.#guarded(() => this.#receive(JSON.parse(data.toString()) as Message));
    });
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      if (this.#socket !== socket) return;
      this.#forget();
      if (!isTemporaryClose(code) && !(code === TOKEN_EXPIRED && this.#tokens.isExpired))
        this.#options.onViolation(new ExactnessViolation(`closed: ${code} ${reason.toString()}`));
      else this.#reconnectLater();
    });
  }

  #reconnectLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#isWanted && this.#open(this.#replica + 1), RECONNECT_MS);
  }

  #receive(message: Message): void {
    if (message.type === 'connection_ack') {
      this.#isAcknowledged = true;
      return this.#subscribeAll();
    }
    if (message.type === 'ping') return this.#receivePing(message.payload);
    if (message.type === 'pong') return this.#receivePong(message.payload);
    const operation = this.#operations.find(({ id }) => id !== undefined && id === message.id);
    // A message that was in flight when the client unsubscribed.
    if (!operation || operation.barrier !== undefined) return;
    if (message.type === 'next') this.#receiveNext(operation, message.payload as Payload);
    if (message.type === 'complete')
      throw new ExactnessViolation(`${operation.view.toString()}: completed by itself`);
    if (message.type === 'error') this.#receiveError(operation, message.payload);
  }

  #receiveNext(operation: SocketOperation, payload: Payload): void {
    operation.view.receive(payload);
    operation.cursor = payload.extensions!.cursor;
  }

  #receivePing(payload: unknown): void {
    this.#send({ type: 'pong' });
    const { cursors } =
      (payload as { tidegate?: { cursors?: Record<string, string> } } | undefined)?.tidegate ?? {};
    for (const operation of this.#operations) {
      const cursor = operation.id === undefined ? undefined : cursors?.[operation.id];
      if (cursor === undefined || operation.barrier !== undefined) continue;
      operation.cursor = cursor;
      operation.view.accept();
    }
  }

  #receivePong(payload: unknown): void {
    const { barrier } = (payload ?? {}) as { barrier?: number };
    if (barrier !== undefined) {
      for (const operation of this.#operations)
        if (operation.barrier === barrier) operation.barrier = undefined;
      return;
    }
    const { expiresAt } = (payload as { tidegate?: { expiresAt?: string } } | undefined)?.tidegate ?? {};
    if (expiresAt === undefined) throw new ExactnessViolation('a renewal was answered without its end');
    this.#tokens.useNewest(Date.parse(expiresAt));
    this.#options.onRenewal();
  }

  #receiveError(operation: SocketOperation, payload: unknown): void {
    if (!isTemporary(payload)) {
      throw new ExactnessViolation(`${operation.view.toString()}: refused: ${JSON.stringify(payload)}`);
    }
    operation.id = undefined;
    this.#timer = setTimeout(() => this.#subscribeAll(), RECONNECT_MS);
  }

  #subscribeAll(): void {
    if (!this.#isAcknowledged || this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const operation of this.#operations) if (operation.id === undefined) this.#subscribe(operation);
  }

  #subscribe(operation: SocketOperation, id = String((this.#ids += 1))): void {
    const { spec, cursor, view } = operation;
    operation.id = id;
    if (cursor === undefined) view.subscribed();
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

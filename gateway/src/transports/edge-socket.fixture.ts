import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { until } from '@tidegate/testing';
import type { WebSocket } from 'ws';

export const COUNTER = 'subscription { counter(id: "a") { count } }';

export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: { readonly data?: { readonly counter?: { readonly count: number } } };
}

/** A client of graphql-transport-ws that sends what the test writes. */
export class EdgeSocket {
  readonly socket: WebSocket;
  readonly messages: SocketMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as SocketMessage));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  /** TCP socket below the WebSocket. */
  get tcp(): Socket {
    return (this.socket as unknown as { _socket: Socket })._socket;
  }

  /** Sends all messages with one TCP write. */
  send(...messages: readonly (object | string)[]): void {
    this.tcp.cork();
    for (const message of messages)
      this.socket.send(
        typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      );
    this.tcp.uncork();
  }

  of(type: string, id?: string): readonly SocketMessage[] {
    return this.messages.filter(
      (message) => message.type === type && (id === undefined || message.id === id),
    );
  }

  /** Counts of the counter that were received under this id. */
  counts(id: string): (number | undefined)[] {
    return this.of('next', id).map(({ payload }) => payload?.data?.counter?.count);
  }

  /** Resolves when the server has handled all messages that were sent before, or closed the connection for one. */
  async settled(): Promise<void> {
    const before = this.of('pong').length;
    this.send({ type: 'ping' });
    await until(() => this.of('pong').length > before || this.closed, { what: 'the pong' });
  }

  async end(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed, { what: 'the close' });
    assert.ok(this.closed);
    return this.closed;
  }
}

export const subscribe = (id: unknown, query = COUNTER): object => ({
  type: 'subscribe',
  id,
  payload: { query },
});
export const complete = (id: string): object => ({ type: 'complete', id });

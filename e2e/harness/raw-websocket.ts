import { until } from '@tidegate/testing';
import { WebSocket } from 'ws';

export interface ProtocolMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: never;
}

export interface RawWebSocketOptions {
  /** Default `/graphql/web`. */
  readonly path?: string;
  /** Subprotocol; `[]` requests none. Default `graphql-transport-ws`. */
  readonly protocol?: string | [];
  readonly headers?: Readonly<Record<string, string>>;
  /** Bearer token for `connection_init`. Default: no `connection_init` is sent. */
  readonly token?: string | undefined;
}

/**
 * Opens a WebSocket. Resolves when it is open, and acknowledged if a token is given, or when the upgrade or the
 * connection is refused.
 */
export async function openRawWebSocket(
  webUrl: string,
  options: RawWebSocketOptions = {},
): Promise<RawWebSocket> {
  const { path = '/graphql/web', protocol = 'graphql-transport-ws', headers = {}, token } = options;
  const raw = new RawWebSocket(
    new WebSocket(`${webUrl.replace('http', 'ws')}${path}`, protocol, { headers }),
  );
  await until(() => raw.socket.readyState === WebSocket.OPEN || raw.closed() !== undefined, {
    what: 'the upgrade',
  });
  if (token !== undefined && raw.closed() === undefined) {
    raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    await until(() => raw.of('connection_ack').length > 0 || raw.closed() !== undefined, {
      what: 'the answer',
    });
  }
  return raw;
}

/** A graphql-transport-ws client without a library: it sends invalid messages too and keeps every received one. */
export class RawWebSocket {
  readonly socket: WebSocket;
  readonly messages: ProtocolMessage[] = [];
  #closed: number | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) =>
      this.messages.push(JSON.parse((data as Buffer).toString()) as ProtocolMessage),
    );
    socket.on('unexpected-response', (_request, { statusCode }) => (this.#closed = statusCode));
    socket.on('error', () => undefined);
    socket.on('close', (code) => (this.#closed ??= code));
  }

  /** Sends text, binary data, or an object as JSON. */
  send(message: string | Buffer | object): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** Received messages of one type. */
  of(type: string): readonly ProtocolMessage[] {
    return this.messages.filter((message) => message.type === type);
  }

  /** Close code, or the HTTP status of a refused upgrade; undefined while the connection is open. */
  closed(): number | undefined {
    return this.#closed;
  }

  /** Resolves with the close code as soon as the connection is closed. */
  async end(): Promise<number> {
    await until(() => this.#closed !== undefined, { what: 'the close', timeoutMs: 20_000 });
    return this.#closed!;
  }
}

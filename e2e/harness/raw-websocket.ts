import { until } from '@tidegate/testing';
import { WebSocket } from 'ws';

export interface ProtocolMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: never;
}

/** A client that speaks graphql-transport-ws by hand, to say what no library would and to see exactly what is sent. */
export interface RawWebSocket {
  readonly socket: WebSocket;
  readonly messages: readonly ProtocolMessage[];
  /** Sends any text, or binary data, or an object as JSON. */
  send(message: string | Buffer | object): void;
  of(type: string): readonly ProtocolMessage[];
  /** The code it was closed with, or the HTTP status its upgrade was refused with. */
  closed(): number | undefined;
  /** Resolves with that. */
  end(): Promise<number>;
}

export interface RawWebSocketOptions {
  readonly path?: string;
  /** `[]` asks for none. */
  readonly protocol?: string | [];
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in `connection_init`; undefined: nothing is said. */
  readonly token?: string | undefined;
}

/** Resolves when it is open, and acknowledged if it has a token; or when its upgrade was refused. */
export async function openRawWebSocket(
  webUrl: string,
  options: RawWebSocketOptions = {},
): Promise<RawWebSocket> {
  const { path = '/graphql/web', protocol = 'graphql-transport-ws', headers = {}, token } = options;
  const socket = new WebSocket(`${webUrl.replace('http', 'ws')}${path}`, protocol, { headers });
  const messages: ProtocolMessage[] = [];
  let closed: number | undefined;
  socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString()) as ProtocolMessage));
  socket.on('unexpected-response', (_request, { statusCode }) => (closed = statusCode));
  socket.on('error', () => undefined);
  socket.on('close', (code) => (closed ??= code));
  await until(() => socket.readyState === WebSocket.OPEN || closed !== undefined, { what: 'the upgrade' });
  const send = (message: string | Buffer | object): void =>
    socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  const of = (type: string): ProtocolMessage[] => messages.filter((message) => message.type === type);
  if (token !== undefined && closed === undefined) {
    send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    await until(() => of('connection_ack').length > 0 || closed !== undefined, { what: 'the answer' });
  }
  return {
    socket,
    messages,
    send,
    of,
    closed: () => closed,
    end: async () => {
      await until(() => closed !== undefined, { what: 'the close', timeoutMs: 20_000 });
      return closed!;
    },
  };
}

import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODES } from './frame-reader.ts';

/** Callbacks of a connection. The bytes are valid only during the call. */
export interface ConnectionListener {
  /** The server has processed the subscriptions. */
  onOpen(): void;
  /** Called for each `next` message. */
  onNext(bytes: Buffer, start: number, end: number): void;
  /** Called after the last message of one read from the socket. */
  onReadEnd?(): void;
  /** Called for an `error` or `complete` of a subscription. */
  onRefused(message: string): void;
  onClosed(reason: string): void;
}

export interface LoadConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly localAddress: string;
  readonly token: string | undefined;
  /** Payloads of its `subscribe` messages. */
  readonly subscriptions: readonly object[];
  /** False: recognises a `next` message by its length alone, which is cheaper. Used for most connections of a burst. */
  readonly readsAll: boolean;
  readonly listener: ConnectionListener;
}

/** Read buffer of all sockets. */
const sharedBuffer = Buffer.allocUnsafe(256 * 1024);
const NEXT = Buffer.from('"type":"next"');
/** Longer than any other message with an id on a connection without refusals. */
const SURELY_NEXT_BYTES = 200;
/** Third byte of `{"id":`: a `next` message begins with it, a `ping` does not. */
const LETTER_I = 0x69;
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n';

/** One client. Implements WebSocket and graphql-transport-ws itself, for minimal cost. */
export class LoadConnection {
  readonly #options: LoadConnectionOptions;
  readonly #socket: Socket;
  readonly #frames = new FrameReader((opcode, bytes, start, end) => this.#onFrame(opcode, bytes, start, end));
  #phase: 'upgrading' | 'connecting' | 'subscribed' | 'closed' = 'upgrading';
  #head = '';
  #closeReason = 'cut';

  constructor(options: LoadConnectionOptions) {
    this.#options = options;
    const { port, path, localAddress } = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      localAddress,
      noDelay: true,
      onread: {
        buffer: sharedBuffer,
        callback: (length, bytes) => {
          this.#onBytes(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => (this.#closeReason = error.message));
    this.#socket.on('close', () => this.#close());
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${UPGRADE}`);
  }

  /** Stops reading, as a client on a sleeping device. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Destroys the socket without a close frame. */
  cut(): void {
    this.#socket.destroy();
  }

  #onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === 'upgrading') this.#onUpgrade(bytes, length);
    else this.#frames.push(bytes, length);
    this.#options.listener.onReadEnd?.();
  }

  #onUpgrade(bytes: Buffer, length: number): void {
    this.#head += bytes.toString('latin1', 0, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#closeReason = this.#head.split('\r\n', 1)[0]!;
      return this.cut();
    }
    this.#phase = 'connecting';
    const { token } = this.#options;
    this.#send({ type: 'connection_init', payload: token ? { authorization: `Bearer ${token}` } : {} });
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    if (rest.length > 0) this.#frames.push(rest, rest.length);
  }

  #onFrame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODES.text) {
      if (this.#isNext(bytes, start, end)) this.#options.listener.onNext(bytes, start, end);
      else this.#onMessage(bytes.toString('utf8', start, end));
    } else if (opcode === OPCODES.ping) {
      this.#socket.write(clientFrame(OPCODES.pong, Buffer.from(bytes.subarray(start, end))));
    } else if (opcode === OPCODES.close) {
      this.#closeReason = String(end - start >= 2 ? bytes.readUInt16BE(start) : 1005);
      this.#socket.end(clientFrame(OPCODES.close, Buffer.from(bytes.subarray(start, end))));
    }
  }

  #isNext(bytes: Buffer, start: number, end: number): boolean {
    if (this.#phase !== 'subscribed' || end - start < SURELY_NEXT_BYTES) return false;
    if (!this.#options.readsAll) return bytes[start + 2] === LETTER_I;
    const at = bytes.indexOf(NEXT, start);
    return at >= 0 && at < end;
  }

  #onMessage(text: string): void {
    const message = JSON.parse(text) as { type: string };
    if (message.type === 'connection_ack') this.#subscribe();
    else if (message.type === 'ping') this.#send({ type: 'pong' });
    else if (message.type === 'pong') this.#options.listener.onOpen();
    else this.#options.listener.onRefused(text);
  }

  /** The pong to the trailing ping confirms that the server has processed the subscriptions. */
  #subscribe(): void {
    this.#phase = 'subscribed';
    // Random ids, as the graphql-ws client creates them: a server cannot share these bytes between connections.
    const messages = this.#options.subscriptions.map((payload) =>
      textFrame({ id: randomUUID(), type: 'subscribe', payload }),
    );
    this.#socket.write(Buffer.concat([...messages, textFrame({ type: 'ping' })]));
  }

  #send(message: object): void {
    this.#socket.write(textFrame(message));
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#options.listener.onClosed(this.#closeReason);
  }
}

function textFrame(message: object): Buffer {
  return clientFrame(OPCODES.text, Buffer.from(JSON.stringify(message)));
}

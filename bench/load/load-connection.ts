import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODES } from './frame-reader.ts';

/** What happens on a connection. The bytes are only valid during the call. */
export interface ConnectionListener {
  /** It is subscribed, as far as a client can know. */
  onOpen(): void;
  /** A `next` message. */
  onNext(bytes: Buffer, start: number, end: number): void;
  /** After the last message of one read. */
  onReadEnd?(): void;
  /** An `error` or `complete` for a subscription. */
  onRefused(message: string): void;
  onClosed(reason: string): void;
}

export interface LoadConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly localAddress: string;
  readonly token: string | undefined;
  /** The payloads of its `subscribe` messages; ids count from 1. */
  readonly subscriptions: readonly object[];
  /** False: whatever is as long as a `next` message counts as one. For most connections of a burst. */
  readonly readsAll: boolean;
  readonly listener: ConnectionListener;
}

/** All sockets read into it, one after the other. */
const sharedBuffer = Buffer.allocUnsafe(256 * 1024);
const NEXT = Buffer.from('"type":"next"');
/** Longer than any other message with an id that a connection without refusals gets. */
const SURELY_NEXT_BYTES = 200;
/** Of `{"id":`, with which a `next` begins and a `ping` does not. */
const LETTER_I = 0x69;
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n';

/** One client: WebSocket and graphql-transport-ws by hand, as cheap as it gets. */
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

  /** Stops reading: to the server a client whose device sleeps. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Vanishes without a close frame. */
  cut(): void {
    this.#socket.destroy();
  }

  #onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === 'upgrading') this.#onUpgrade(bytes, length);
    else this.#frames.take(bytes, length);
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
    if (rest.length > 0) this.#frames.take(rest, rest.length);
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

  /** The pong to our ping comes after the subscriptions were taken. */
  #subscribe(): void {
    this.#phase = 'subscribed';
    // Ids as the graphql-ws client makes them: no two connections have the same, so that nobody can share those bytes.
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

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { until } from '@tidegate/testing';
import type { WebSocket } from 'ws';
import { openRawWebSocket, type ProtocolMessage } from '../harness/raw-websocket.ts';
import type { Outcome } from './attacked-platform.ts';

/** Opcodes of RFC 6455, 5.2. */
export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface FrameForm {
  readonly opcode?: number;
  /** Default true. */
  readonly fin?: boolean;
  /** Reserved bits, 0 to 7. Default 0. */
  readonly reserved?: number;
  /** Default true, as RFC 6455 demands of clients. */
  readonly masked?: boolean;
  /** Length that the frame claims, in bytes. Default: that of the payload. */
  readonly claimed?: number;
}

/** Encodes one frame, also one that breaks RFC 6455. Default: a whole text frame. */
export function frame(payload: string | Buffer, form: FrameForm = {}): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0, masked = true } = form;
  const data = Buffer.from(payload as string);
  const { claimed = data.length } = form;
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (claimed < 126) head.push(mask | claimed);
  else if (claimed < 65_536) head.push(mask | 126, claimed >> 8, claimed & 0xff);
  else head.push(mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (claimed >> shift) & 0xff));
  if (!masked) return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, data.map((byte, at) => byte ^ key[at % 4]!)]);
}

const UPGRADE = [
  'GET /graphql/web HTTP/1.1',
  'host: a',
  'upgrade: websocket',
  'connection: upgrade',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol: graphql-transport-ws',
];

/** Opens a TCP connection and sends an upgrade to a WebSocket. */
export function connectUpgraded(port: number, ...headers: string[]): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write([...UPGRADE, ...headers, '', ''].join('\r\n'));
  return socket;
}

/** Sends frames behind an upgrade in one write. Returns the close code, or `pong` for the answer to a ping. */
export async function sendFrames(port: number, frames: readonly Buffer[]): Promise<Outcome> {
  const socket = connectUpgraded(port);
  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])));
  socket.write(Buffer.concat(frames));
  const outcome = (): Outcome | undefined => {
    const start = received.indexOf('\r\n\r\n');
    return start === -1 ? undefined : firstAnswer(received.subarray(start + 4));
  };
  try {
    await until(() => outcome() !== undefined, { what: 'the answer', timeoutMs: 8_000 });
    return outcome()!;
  } finally {
    socket.destroy();
  }
}

function firstAnswer(frames: Buffer): Outcome | undefined {
  for (let at = 0; at + 2 <= frames.length;) {
    const length = frames[at + 1]!;
    if (at + 2 + length > frames.length) return undefined;
    const payload = frames.subarray(at + 2, at + 2 + length);
    const opcode = frames[at]! & 0x0f;
    if (opcode === opcodes.close) return length < 2 ? 'close' : String(payload.readUInt16BE());
    if (opcode === opcodes.pong || payload.includes('"pong"')) return 'pong';
    at += 2 + length;
  }
  return undefined;
}

/** Opens a conversation as nobody. The next step waits for the acknowledgement. */
export const INIT = { type: 'connection_init' };

/** A message, or a pause until a message has come, in the form in which `converse` returns it. */
export type Step = string | Buffer | object | { readonly after: string };

/** Silence after the expected messages in which none may follow. */
const SILENCE_MS = 300;

/**
 * Sends messages on a connection of its own and returns everything that came back: `<id>:<type>`, with the code of an
 * error, `pong`, and the close code with its reason. Waits for the expected answer and then for silence.
 */
export async function converse(url: string, steps: readonly Step[], expected: Outcome): Promise<Outcome> {
  const raw = await openRawWebSocket(url);
  let closed = '';
  raw.socket.on('close', (code: number, reason: Buffer) => (closed = `${code} ${reason.toString()}`.trim()));
  const seen = (): string[] => [...raw.messages.map(shortForm), closed].filter((text) => text !== '');
  const outcome = (): Outcome => seen().join(' ');
  const come = (message: string) =>
    until(() => closed !== '' || seen().includes(message), { what: message, timeoutMs: 10_000 });
  for (const step of steps) {
    if (typeof step === 'object' && 'after' in step) await come(step.after);
    else if (raw.socket.readyState === raw.socket.OPEN) raw.send(step);
    if (isInit(step)) {
      await until(() => closed !== '' || raw.of('connection_ack').length > 0, {
        what: 'the acknowledgement',
        timeoutMs: 10_000,
      });
    }
  }
  await until(() => outcome() === expected, { what: expected, timeoutMs: 5_000 }).catch(() => undefined);
  await new Promise((done) => setTimeout(done, SILENCE_MS));
  const found = outcome();
  await end(raw.socket);
  return found;
}

/** True for the first `connection_init`: a second one has no acknowledgement, and would wait for that of the first. */
function isInit(step: Step): boolean {
  return typeof step === 'object' && 'type' in step && step.type === 'connection_init';
}

function shortForm({ type, id, payload }: ProtocolMessage): string {
  if (type === 'pong') return type;
  if (id === undefined) return '';
  const code = (payload as { extensions?: { code?: string } }[] | undefined)?.[0]?.extensions?.code;
  return `${id.length > 20 ? 'long' : id}:${type}${type === 'error' ? `=${code}` : ''}`;
}

async function end(socket: WebSocket): Promise<void> {
  socket.close();
  await until(() => socket.readyState === socket.CLOSED, { what: 'the close' }).catch(() =>
    socket.terminate(),
  );
}

export const OPCODES = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Called for each complete frame. Its payload is `bytes` from `start` to `end`, valid only during the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Splits a byte stream into WebSocket frames (RFC 6455, unmasked, unfragmented). Frames that arrive complete need no
 * allocation: the load generator must cost less than the server that it measures.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let end = length;
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      end = bytes.length;
      this.#rest = undefined;
    }
    let at = 0;
    for (let next = this.#frameAt(bytes, at, end); next > at; next = this.#frameAt(bytes, at, end)) at = next;
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
  }

  /** Reads the frame at `at`. Returns the start of the next frame, or `at` when this one is incomplete. */
  #frameAt(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return at;
    const short = bytes[at + 1]!;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (end - at < headBytes) return at;
    const size =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? bytes.readUInt32BE(at + 6) : short;
    const start = at + headBytes;
    if (start + size > end) return at;
    this.#onFrame(bytes[at]! & 0x0f, bytes, start, start + size);
    return start + size;
  }
}

/** Encodes a client's frame. Its mask is all zeros, which is valid and leaves the payload unchanged. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const size = payload.length;
  const head = size < 126 ? [0x80 | size] : [0x80 | 126, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head, 0, 0, 0, 0]), payload]);
}

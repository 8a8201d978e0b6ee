export const OPCODES = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Called for each complete frame; the payload is `bytes` from `start` to `end` and only valid during the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Cuts a byte stream into WebSocket frames (RFC 6455, unmasked, unfragmented) without allocating for those that
 * arrive whole: a load generator must cost less than what it measures.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  take(chunk: Buffer, length: number): void {
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

  /** Where the next frame begins, or the same place when this one is not complete. */
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

/** A client's frame. The mask is all zeros: valid, and the payload stays as it is. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const size = payload.length;
  const head = size < 126 ? [0x80 | size] : [0x80 | 126, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head, 0, 0, 0, 0]), payload]);
}

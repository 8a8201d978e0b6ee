import type { FrameBatch } from '../../live/group/frame-batch.ts';
import { headerBytes, writeHeader } from './text-frame.ts';

const CLOSING_BRACE = 0x7d;

/**
 * A batch as WebSocket messages, framed once for all subscriptions whose heads have the same length. The messages of
 * two subscriptions differ only in their head, which holds the client's id. For each subscription the heads are
 * overwritten in place and nothing else is copied: nearly the cost of broadcasting one buffer.
 */
export class FrameBlock {
  #bytes: Buffer;
  readonly #headOffsets: number[] = [];
  #retained = false;

  constructor({ frames, jsonBytes }: FrameBatch, headBytes: number) {
    const around = headBytes + 1;
    const headers = frames.reduce((sum, { json }) => sum + headerBytes(json.length + around), 0);
    this.#bytes = Buffer.allocUnsafeSlow(headers + jsonBytes + frames.length * around);
    let offset = 0;
    for (const { json } of frames) {
      offset = writeHeader(this.#bytes, offset, json.length + around);
      this.#headOffsets.push(offset);
      offset += headBytes;
      this.#bytes.set(json, offset);
      offset += json.length;
      this.#bytes[offset++] = CLOSING_BRACE;
    }
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Returns the messages with this head. The bytes are valid until the next call, unless `retain` is called first. */
  withHead(head: Buffer): Buffer {
    if (this.#retained) {
      this.#bytes = Buffer.from(this.#bytes);
      this.#retained = false;
    }
    // `copy`, because the generic `set` of typed arrays takes longer.
    for (const offset of this.#headOffsets) head.copy(this.#bytes, offset);
    return this.#bytes;
  }

  /** Keeps the bytes of the last `withHead` valid: a socket still reads them. The next call returns a copy. */
  retain(): void {
    this.#retained = true;
  }
}

import type { FrameBatch } from '../../live/group/frame-batch.ts';
import { headerBytes, writeHeader } from './text-frame.ts';

const CLOSING_BRACE = 0x7d;

/**
 * A batch as WebSocket messages, made once for all subscriptions whose head is of one length. A subscription's
 * messages differ from another's in their head alone (it holds the client's id), so for each the heads are put in
 * place and nothing else is copied: nearly what a broadcast of one buffer costs.
 */
export class FrameBlock {
  #bytes: Buffer;
  readonly #headOffsets: number[] = [];
  #lent = false;

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

  /** The messages behind this head: good until the next call, unless `lend` is called first. */
  behind(head: Buffer): Buffer {
    if (this.#lent) {
      this.#bytes = Buffer.from(this.#bytes);
      this.#lent = false;
    }
    // Not `set`, which is for typed arrays of all kinds and takes longer.
    for (const offset of this.#headOffsets) head.copy(this.#bytes, offset);
    return this.#bytes;
  }

  /** Somebody still reads what `behind` gave last: the next has to get other bytes. */
  lend(): void {
    this.#lent = true;
  }
}

const blocks = new WeakMap<FrameBatch, Map<number, FrameBlock>>();

/** The block of a batch for heads of this length. */
export function blockOf(batch: FrameBatch, headBytes: number): FrameBlock {
  let byHeadBytes = blocks.get(batch);
  if (!byHeadBytes) blocks.set(batch, (byHeadBytes = new Map()));
  let block = byHeadBytes.get(headBytes);
  if (!block) byHeadBytes.set(headBytes, (block = new FrameBlock(batch, headBytes)));
  return block;
}

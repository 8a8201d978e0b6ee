import type { Socket } from 'node:net';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Encoder } from '../outbound/outbound-queue.ts';
import { splitAtLarge } from '../outbound/split-at-large.ts';
import type { OutboundSource, Waiting } from '../outbound/waiting-messages.ts';
import { FrameBlock } from './frame-block.ts';
import { MAX_POSITIONS_PER_PING } from './limits.ts';
import { headerBytes, writeHeader } from './text-frame.ts';

/** One subscription, as its connection's queue sees it. */
export interface WebSocketSource extends OutboundSource {
  /** The client's id of this subscription, as JSON. */
  readonly id: string;
  /** `{"id":"…","type":"next","payload":` of this subscription. */
  readonly head: Buffer;
}

/**
 * Writes messages of graphql-transport-ws as WebSocket frames. The target is the TCP socket below the WebSocket:
 * frames are written whole, between the frames that `ws` writes.
 */
export class WebSocketEncoder implements Encoder<WebSocketSource, Socket> {
  /** By the length of the head. */
  readonly #blocks = new WeakMap<FrameBatch, Map<number, FrameBlock>>();

  writeFrames(socket: Socket, { head }: WebSocketSource, batch: FrameBatch): void {
    const block = this.blockOf(batch, head.length);
    socket.write(block.withHead(head));
    // The kernel did not take all bytes at once: the socket still reads from the block.
    if (socket.writableLength > 0) block.retain();
  }

  writeAll(socket: Socket, messages: readonly Waiting<WebSocketSource>[]): void {
    for (const group of splitAtLarge(withPings(messages), jsonBytes)) {
      const [first] = group;
      if (group.length === 1 && 'batch' in first!) this.writeFrames(socket, first.source, first.batch);
      else socket.write(this.#encode(group));
    }
  }

  /** A member of the object `cursors` of a ping. */
  encodePosition({ id }: WebSocketSource, cursor: string): Buffer {
    return Buffer.from(`${id}:"${cursor}"`);
  }

  /** Returns the block of a batch for heads of this length, which all subscriptions share. */
  blockOf(batch: FrameBatch, headBytes: number): FrameBlock {
    let byHeadBytes = this.#blocks.get(batch);
    if (!byHeadBytes) this.#blocks.set(batch, (byHeadBytes = new Map()));
    let block = byHeadBytes.get(headBytes);
    if (!block) byHeadBytes.set(headBytes, (block = new FrameBlock(batch, headBytes)));
    return block;
  }

  /** Copies the messages into one buffer. */
  #encode(messages: readonly Waiting<WebSocketSource>[]): Buffer {
    const target = Buffer.allocUnsafe(messages.reduce((sum, each) => sum + this.#encodedBytes(each), 0));
    let offset = 0;
    for (const each of messages) {
      if ('payload' in each) offset = writeHeader(target, offset, each.payload.length);
      const bytes =
        'batch' in each
          ? this.blockOf(each.batch, each.source.head.length).withHead(each.source.head)
          : each.payload;
      target.set(bytes, offset);
      offset += bytes.length;
    }
    return target;
  }

  #encodedBytes(each: Waiting<WebSocketSource>): number {
    if ('batch' in each) return this.blockOf(each.batch, each.source.head.length).byteLength;
    return headerBytes(each.payload.length) + each.payload.length;
  }
}

/** Size without frame headers and heads, for which no block has to be looked up. */
function jsonBytes(message: Waiting<WebSocketSource>): number {
  return 'batch' in message ? message.batch.jsonBytes : message.payload.length;
}

/**
 * Replaces cursors by pings that carry them; clients that do not know the payload ignore it. A client answers each
 * ping, so adjacent cursors share one.
 */
function withPings(messages: readonly Waiting<WebSocketSource>[]): Waiting<WebSocketSource>[] {
  const withPing: Waiting<WebSocketSource>[] = [];
  let positions: Buffer[] = [];
  const addPing = (): void => {
    if (positions.length > 0) withPing.push({ payload: encodePing(positions) });
    positions = [];
  };
  for (const each of messages) {
    const isPosition = 'payload' in each && each.source !== undefined;
    if (!isPosition || positions.length === MAX_POSITIONS_PER_PING) addPing();
    if (isPosition) positions.push(each.payload);
    else withPing.push(each);
  }
  addPing();
  return withPing;
}

function encodePing(positions: readonly Buffer[]): Buffer {
  return Buffer.from(`{"type":"ping","payload":{"tidegate":{"cursors":{${positions.join()}}}}}`);
}

import type { ServerResponse } from 'node:http';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Encoder } from '../outbound/outbound-queue.ts';
import type { OutboundSource, Waiting } from '../outbound/waiting-messages.ts';

/** A result as it is sent to a client: `ExecutionResult` after `visibleErrors`. */
export type VisibleResult = object;

/** Events of one subscription or operation. Implemented once for each mode of the protocol. */
export interface OperationEvents {
  /** Bytes around the JSON of each frame; an estimate is enough. */
  readonly bytesPerFrame: number;
  frames(batch: FrameBatch): Buffer;
  /** A result that is not a frame: of a query or mutation, or the errors that end a subscription. */
  result(result: VisibleResult): Buffer;
  position(cursor: string): Buffer;
  complete(): Buffer;
}

/** One subscription, as its stream's queue sees it. */
export interface SseSource extends OutboundSource {
  readonly events: OperationEvents;
}

/** Writes messages as events of a Server-Sent Events stream. */
export class SseEncoder implements Encoder<SseSource, ServerResponse> {
  writeFrames(response: ServerResponse, { events }: SseSource, batch: FrameBatch): void {
    response.write(events.frames(batch));
  }

  writeAll(response: ServerResponse, messages: readonly Waiting<SseSource>[]): void {
    const events = messages.map((each) =>
      'batch' in each ? each.source.events.frames(each.batch) : each.payload,
    );
    response.write(events.length === 1 ? events[0]! : Buffer.concat(events));
  }

  encodePosition({ events }: SseSource, cursor: string): Buffer {
    return events.position(cursor);
  }
}

/** An empty comment: keeps proxies and load balancers from closing an idle stream. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** `data:` without a value: EventSource drops an event without a data field. */
const COMPLETE = Buffer.from('event: complete\ndata:\n\n');
/** Approximate bytes around a frame's JSON: its cursor as `id:` and the names of the fields. */
const DISTINCT_BYTES_PER_FRAME = 120;
const END = Buffer.from('\n\n');

/** Events of "distinct connections mode": the stream has one subscription, and its cursor is the event's id. */
export class DistinctEvents implements OperationEvents {
  readonly bytesPerFrame = DISTINCT_BYTES_PER_FRAME;
  readonly #encoded = new WeakMap<FrameBatch, Buffer>();

  /** Encoded once for all subscribers of the group. */
  frames(batch: FrameBatch): Buffer {
    const known = this.#encoded.get(batch);
    if (known) return known;
    const pieces = batch.frames.flatMap(({ cursor, json }) => [
      Buffer.from(`id: ${cursor}\nevent: next\ndata: `),
      json,
      END,
    ]);
    const encoded = Buffer.concat(pieces);
    this.#encoded.set(batch, encoded);
    return encoded;
  }

  result(result: VisibleResult): Buffer {
    return Buffer.from(`event: next\ndata: ${JSON.stringify(result)}\n\n`);
  }

  /**
   * A cursor without a message. As an `id:` it becomes the `Last-Event-ID` of EventSource; an event without data is
   * not dispatched. As a comment it serves clients whose parser ignores the id of such an event.
   */
  position(cursor: string): Buffer {
    return Buffer.from(`: cursor ${cursor}\nid: ${cursor}\n\n`);
  }

  complete(): Buffer {
    return COMPLETE;
  }
}

const OPERATION_END = Buffer.from('}\n\n');

/** Events of "single connection mode": one operation among others on a stream, each event with the operation's id. */
export class TaggedEvents implements OperationEvents {
  readonly #id: string;
  /** Precedes every payload: the only bytes that subscribers of a group do not share. */
  readonly #head: Buffer;
  readonly bytesPerFrame: number;

  constructor(operationId: string) {
    this.#id = JSON.stringify(operationId);
    this.#head = Buffer.from(`event: next\ndata: {"id":${this.#id},"payload":`);
    this.bytesPerFrame = this.#head.length + OPERATION_END.length;
  }

  frames(batch: FrameBatch): Buffer {
    return Buffer.concat(batch.frames.flatMap(({ json }) => [this.#head, json, OPERATION_END]));
  }

  result(result: VisibleResult): Buffer {
    return Buffer.concat([this.#head, Buffer.from(JSON.stringify(result)), OPERATION_END]);
  }

  /** A comment only: the one `Last-Event-ID` of the stream cannot hold the cursors of several operations. */
  position(cursor: string): Buffer {
    return Buffer.from(`: cursors {${this.#id}:"${cursor}"}\n\n`);
  }

  complete(): Buffer {
    return Buffer.from(`event: complete\ndata: {"id":${this.#id}}\n\n`);
  }
}

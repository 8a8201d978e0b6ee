import type { TidegateError } from '@tidegate/core';
import { formatError } from '../../graphql/error-codes.ts';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { OperationMessages, StreamFormat, VisibleResult } from '../response-stream/encoding.ts';
import { RETRY_MS } from './limits.ts';

/** An event stream. It begins with a comment and carries empty comments as heartbeats. */
export const eventStream: StreamFormat = {
  transport: 'sse',
  headers: { 'content-type': 'text/event-stream; charset=utf-8' },
  opening: () => `:\nretry: ${Math.round(RETRY_MS.min + Math.random() * RETRY_MS.spread)}\n\n`,
  heartbeat: Buffer.from(':\n\n'),
};

/** `data:` without a value: EventSource drops an event without a data field. */
const COMPLETE = Buffer.from('event: complete\ndata:\n\n');
/** Approximate bytes around a frame's JSON: its cursor as `id:` and the names of the fields. */
const DISTINCT_BYTES_PER_FRAME = 120;
const END = Buffer.from('\n\n');

/** Events of "distinct connections mode": the stream has one subscription, and its cursor is the event's id. */
export class DistinctEvents implements OperationMessages {
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

  failure(error: TidegateError): Buffer {
    return this.result({ errors: [formatError(error)] });
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
export class TaggedEvents implements OperationMessages {
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

  failure(error: TidegateError): Buffer {
    return this.result({ errors: [formatError(error)] });
  }

  /** A comment only: the one `Last-Event-ID` of the stream cannot hold the cursors of several operations. */
  position(cursor: string): Buffer {
    return Buffer.from(`: cursors {${this.#id}:"${cursor}"}\n\n`);
  }

  complete(): Buffer {
    return Buffer.from(`event: complete\ndata: {"id":${this.#id}}\n\n`);
  }
}

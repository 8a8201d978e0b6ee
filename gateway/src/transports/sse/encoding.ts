import type { ExecutionResult } from 'graphql';
import type { FrameBatch } from '../../live/group/frame-batch.ts';

/** A line that says nothing: keeps proxies and load balancers from taking a quiet stream for a dead one. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** `data:` without a value: EventSource drops an event that has no data field at all. */
export const COMPLETE = Buffer.from('event: complete\ndata:\n\n');

const END = Buffer.from('\n\n');
const OPERATION_END = Buffer.from('}\n\n');
const encodedBatches = new WeakMap<FrameBatch, Buffer>();

/** The bytes of frames as events; made once, shared by every SSE subscriber of the group. */
export function encodeFrameEvents(batch: FrameBatch): Buffer {
  const known = encodedBatches.get(batch);
  if (known) return known;
  const pieces = batch.frames.flatMap(({ cursor, json }) => [
    Buffer.from(`id: ${cursor}\nevent: next\ndata: `),
    json,
    END,
  ]);
  const encoded = Buffer.concat(pieces);
  encodedBatches.set(batch, encoded);
  return encoded;
}

/** A result that is no frame: of a query or mutation, or the errors that end a subscription. */
export function encodeResultEvent(result: ExecutionResult | { errors: readonly unknown[] }): Buffer {
  return Buffer.from(`event: next\ndata: ${JSON.stringify(result)}\n\n`);
}

/**
 * A cursor without a message. As an `id:` it moves what EventSource sends as `Last-Event-ID`; an event without data
 * is dispatched to nobody. As a comment it is for clients whose parser forgets the id of such an event.
 */
export function encodePosition(cursor: string): Buffer {
  return Buffer.from(`: cursor ${cursor}\nid: ${cursor}\n\n`);
}

/** The events of one operation among others on one stream, as "single connection mode" writes them. */
export class OperationEvents {
  readonly #id: string;
  /** What stands in front of every payload: a few bytes beside those that all subscribers share. */
  readonly #head: Buffer;

  constructor(operationId: string) {
    this.#id = JSON.stringify(operationId);
    this.#head = Buffer.from(`event: next\ndata: {"id":${this.#id},"payload":`);
  }

  get bytesPerFrame(): number {
    return this.#head.length + OPERATION_END.length;
  }

  frames(batch: FrameBatch): Buffer {
    return Buffer.concat(batch.frames.flatMap(({ json }) => [this.#head, json, OPERATION_END]));
  }

  result(result: ExecutionResult | { errors: readonly unknown[] }): Buffer[] {
    return [this.#head, Buffer.from(JSON.stringify(result)), OPERATION_END];
  }

  /** A comment only: the stream's one `Last-Event-ID` could not hold the cursors of several operations. */
  position(cursor: string): Buffer {
    return Buffer.from(`: cursors {${this.#id}:"${cursor}"}\n\n`);
  }

  complete(): Buffer {
    return Buffer.from(`event: complete\ndata: {"id":${this.#id}}\n\n`);
  }
}

import type { ExecutionResult } from 'graphql';
import type { Frame } from '../../live/frame.ts';

/** A line that says nothing: keeps proxies and load balancers from taking a quiet stream for a dead one. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** `data:` without a value: EventSource drops an event that has no data field at all. */
export const COMPLETE = Buffer.from('event: complete\ndata:\n\n');

const END = Buffer.from('\n\n');
const OPERATION_END = Buffer.from('}\n\n');
const encodedFrames = new WeakMap<Frame, Buffer>();

/** The bytes of a frame as an event; made once, shared by every SSE subscriber of the group. */
export function encodeFrameEvent(frame: Frame): Buffer {
  const known = encodedFrames.get(frame);
  if (known) return known;
  const head = Buffer.from(`id: ${frame.cursor}\nevent: next\ndata: `);
  const encoded = Buffer.concat([head, frame.json, END]);
  encodedFrames.set(frame, encoded);
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

  frame(frame: Frame): Buffer[] {
    return [this.#head, frame.json, OPERATION_END];
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

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { TidegateError } from '@tidegate/core';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Encoder } from '../outbound/outbound-queue.ts';
import { splitAtLarge } from '../outbound/split-at-large.ts';
import type { OutboundSource, Waiting } from '../outbound/waiting-messages.ts';

/** A result as it is sent to a client: `ExecutionResult` after `visibleErrors`. */
export type VisibleResult = object;

/** Form of a stream that is the body of one HTTP response. */
export interface StreamFormat {
  /** Label of its metrics. */
  readonly transport: 'sse' | 'multipart';
  readonly headers: OutgoingHttpHeaders;
  /** Returns the first bytes of the body. */
  opening(): string;
  /** Keeps proxies and load balancers from closing an idle stream; clients ignore it. */
  readonly heartbeat: Buffer;
  /**
   * Encodes the last message of a stream that the server ends early, and the end of the body. Undefined for clients that
   * reconnect by themselves when the connection is cut.
   */
  readonly farewell?: (error: TidegateError) => Buffer;
}

/** Messages of one subscription or operation in the form of its stream. */
export interface OperationMessages {
  /** Bytes around the JSON of each frame; an estimate is enough. */
  readonly bytesPerFrame: number;
  frames(batch: FrameBatch): Buffer;
  /** A result that is not a frame: of a query or mutation. */
  result(result: VisibleResult): Buffer;
  /** The error that ends the operation; `complete` follows. */
  failure(error: TidegateError): Buffer;
  position(cursor: string): Buffer;
  complete(): Buffer;
}

/** One subscription, as its stream's queue sees it. */
export interface StreamSource extends OutboundSource {
  readonly messages: OperationMessages;
}

/** Writes messages to the body of a response. */
export class StreamEncoder implements Encoder<StreamSource, ServerResponse> {
  writeFrames(response: ServerResponse, { messages }: StreamSource, batch: FrameBatch): void {
    response.write(messages.frames(batch));
  }

  writeAll(response: ServerResponse, waiting: readonly Waiting<StreamSource>[]): void {
    const encoded = waiting.map((each) =>
      'batch' in each ? each.source.messages.frames(each.batch) : each.payload,
    );
    for (const group of splitAtLarge(encoded, ({ length }) => length)) {
      response.write(group.length === 1 ? group[0]! : Buffer.concat(group));
    }
  }

  encodePosition({ messages }: StreamSource, cursor: string): Buffer {
    return messages.position(cursor);
  }
}

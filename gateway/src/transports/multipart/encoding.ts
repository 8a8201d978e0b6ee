import type { TidegateError } from '@tidegate/core';
import { formatError } from '../../graphql/error-codes.ts';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { OperationMessages, StreamFormat, VisibleResult } from '../response-stream/encoding.ts';

/** Name of the protocol in `Accept` and `Content-Type`. */
export const MULTIPART = 'multipart/mixed';
export const SUBSCRIPTION_SPEC = '1.0';

const BOUNDARY = 'graphql';
/** Every part is followed by the next boundary at once: a client takes a part for complete when it reads the boundary. */
const DELIMITER = `\r\n--${BOUNDARY}`;
const PART_HEAD = '\r\ncontent-type: application/json\r\n';
const PAYLOAD_HEAD = Buffer.from(`${PART_HEAD}\r\n{"payload":`);
const PAYLOAD_END = Buffer.from(`}${DELIMITER}`);
/** Turns the boundary before it into the end of the body (RFC 2046, 5.1.1). */
const END = Buffer.from('--\r\n');

/**
 * A stream of Apollo's multipart subscription protocol
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol): parts of
 * `multipart/mixed`, each `{"payload": result}`, `{"payload": null, "errors": […]}` before an early end, or `{}` as a
 * heartbeat.
 */
export const multipartStream: StreamFormat = {
  transport: 'multipart',
  headers: { 'content-type': `${MULTIPART};boundary="${BOUNDARY}";subscriptionSpec="${SUBSCRIPTION_SPEC}"` },
  opening: () => DELIMITER,
  heartbeat: heartbeat(),
  farewell: (error) => Buffer.concat([failure(error), END]),
};

/** Messages of one subscription. Each has its cursor in `payload.extensions`. */
export class MultipartMessages implements OperationMessages {
  readonly bytesPerFrame = PAYLOAD_HEAD.length + PAYLOAD_END.length;
  readonly #encoded = new WeakMap<FrameBatch, Buffer>();

  /** Encoded once for all subscribers of the group. */
  frames(batch: FrameBatch): Buffer {
    const known = this.#encoded.get(batch);
    if (known) return known;
    const encoded = Buffer.concat(batch.frames.flatMap(({ json }) => [PAYLOAD_HEAD, json, PAYLOAD_END]));
    this.#encoded.set(batch, encoded);
    return encoded;
  }

  result(result: VisibleResult): Buffer {
    return Buffer.concat([PAYLOAD_HEAD, Buffer.from(JSON.stringify(result)), PAYLOAD_END]);
  }

  failure(error: TidegateError): Buffer {
    return failure(error);
  }

  /** A heartbeat with the cursor as a header of its part: the clients of the protocol report any other part. */
  position(cursor: string): Buffer {
    return heartbeat(`x-tidegate-cursor: ${cursor}\r\n`);
  }

  complete(): Buffer {
    return END;
  }
}

function heartbeat(headers = ''): Buffer {
  return Buffer.from(`${PART_HEAD}${headers}\r\n{}${DELIMITER}`);
}

function failure(error: TidegateError): Buffer {
  const message = JSON.stringify({ payload: null, errors: [formatError(error)] });
  return Buffer.from(`${PART_HEAD}\r\n${message}${DELIMITER}`);
}

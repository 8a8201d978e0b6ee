import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeErrorBody, errorCodes, type TidegateError } from '@tidegate/core';

/** Time in milliseconds after which a client refused with 429 or 503 may come back, when the error does not say. */
const RETRY_AFTER_MS = 1_000;

/**
 * Answers an upgrade request with the HTTP status and the JSON body of an error, as `errorResponse` does, and closes the
 * socket, also when the client keeps its half open.
 */
export function refuseUpgrade(socket: Duplex, error: TidegateError): void {
  const status = errorCodes[error.code].httpStatus;
  const body = JSON.stringify(encodeErrorBody(error));
  const retryAfterMs = error.details['retryAfterMs'];
  const waitMs = typeof retryAfterMs === 'number' ? retryAfterMs : RETRY_AFTER_MS;
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['www-authenticate: Bearer'] : []),
    ...(status === 429 || status === 503 ? [`retry-after: ${Math.ceil(waitMs / 1000)}`] : []),
    'connection: close',
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

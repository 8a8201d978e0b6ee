import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers an upgrade request with an HTTP error and closes the socket, also when the client keeps its half open.
 *
 * @param retryAfterMs time after which a client refused with 429 or 503 may come back, in milliseconds. Default 1,000.
 */
export function refuseUpgrade(socket: Duplex, status: number, message: string, retryAfterMs = 1_000): void {
  const body = `${message}\n`;
  const retryAfter =
    status === 429 || status === 503 ? `retry-after: ${Math.ceil(retryAfterMs / 1000)}\r\n` : '';
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n${retryAfter}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

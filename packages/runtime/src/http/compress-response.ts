import type { IncomingMessage, ServerResponse } from 'node:http';
import compression from 'compression';

/** Media types that are sent in parts as they arise. A compressor would hold parts back. */
const STREAMED = /^(text\/event-stream|multipart\/)/i;

const compress = compression({
  filter: (request, response) =>
    // A strong entity tag promises equal bytes: the handler that set it has chosen the coding.
    !response.hasHeader('etag') &&
    !STREAMED.test(String(response.getHeader('content-type'))) &&
    compression.filter(request, response),
});

/**
 * Compresses the response that is written from now on with brotli, gzip or deflate, when its type is text, it is not
 * streamed, it is at least 1 KiB (or of undeclared size) and `Accept-Encoding` allows a coding. Sets `Vary`.
 *
 * Not for responses that may become event streams: callbacks of `response.write` are not called.
 */
export function compressResponse(request: IncomingMessage, response: ServerResponse): void {
  // The types of the library are those of Express; it uses what Node has.
  type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
  (compress as unknown as Middleware)(request, response, () => undefined);
}

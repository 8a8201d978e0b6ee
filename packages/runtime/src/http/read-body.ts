import { IncomingMessage } from 'node:http';
import { TidegateError } from '@tidegate/core';

/**
 * Reads a request's body of at most `maxBytes`. A larger declared length is refused before the first byte is read, an
 * undeclared one as soon as it is passed; the connection stays open, so that the refusal reaches the client.
 *
 * @throws TidegateError PAYLOAD_TOO_LARGE with `details.maxBodyBytes`.
 */
export async function readBody(request: IncomingMessage | Request, maxBytes: number): Promise<Buffer> {
  requireBodyWithin(request, maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.byteLength;
    if (size > maxBytes) throw payloadTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Reads a JSON body of at most `maxBytes`.
 *
 * @throws TidegateError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE (see `readBody`) or BAD_REQUEST.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.');
  }
  const bytes = await readBody(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TidegateError('BAD_REQUEST', `The body is not JSON: ${(error as Error).message}`);
  }
}

/** Checks the declared length of a body. @throws TidegateError PAYLOAD_TOO_LARGE with `details.maxBodyBytes`. */
export function requireBodyWithin(request: IncomingMessage | Request, maxBytes: number): void {
  const declared =
    request instanceof IncomingMessage
      ? request.headers['content-length']
      : request.headers.get('content-length');
  if (Number(declared ?? 0) > maxBytes) throw payloadTooLarge(maxBytes);
}

function payloadTooLarge(maxBytes: number): TidegateError {
  return new TidegateError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, {
    details: { maxBodyBytes: maxBytes },
  });
}

/** Leaving the loop early neither destroys nor cancels the stream: that would cut the connection under the answer. */
function chunksOf(request: IncomingMessage | Request): AsyncIterable<Uint8Array> {
  if (request instanceof IncomingMessage) return request.iterator({ destroyOnReturn: false });
  return readUncancelled(request.body);
}

async function* readUncancelled(body: Request['body']): AsyncGenerator<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = body?.getReader();
  try {
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) yield next.value;
  } finally {
    reader?.releaseLock();
  }
}

import type { IncomingMessage } from 'node:http';
import { TidegateError } from '@tidegate/core';

/** Reads a request's body up to a limit. @throws TidegateError PAYLOAD_TOO_LARGE, and reads no further. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function tooLarge(maxBytes: number): TidegateError {
  return new TidegateError('PAYLOAD_TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed.`, {
    details: { maxBytes },
  });
}

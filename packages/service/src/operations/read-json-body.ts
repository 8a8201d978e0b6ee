import { TidegateError } from '@tidegate/core';

/**
 * The request's body as JSON, read only as far as `maxBytes`: a declared length above it is refused unread, an
 * undeclared one as soon as it is passed.
 *
 * @throws TidegateError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE (with `details.maxBodyBytes`) or BAD_REQUEST.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.');
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await readBytes(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TidegateError('BAD_REQUEST', `The body is not JSON: ${(error as Error).message}`);
  }
}

async function readBytes({ body }: Request, maxBytes: number): Promise<Buffer> {
  if (!body) return Buffer.alloc(0);
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    size += value.byteLength;
    if (size > maxBytes) {
      // Not cancelled: over HTTP that would cut the connection before the caller has its answer.
      reader.releaseLock();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks, size);
}

function tooLarge(maxBytes: number): TidegateError {
  return new TidegateError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, {
    details: { maxBodyBytes: maxBytes },
  });
}

import { TidegateError } from '@tidegate/core';
import { tooLarge } from '../../transports/http/body.ts';

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads a JSON body of at most 64 KiB.
 *
 * @throws TidegateError UNSUPPORTED_MEDIA_TYPE when the body is not declared as JSON.
 * @throws TidegateError PAYLOAD_TOO_LARGE when it exceeds the limit. The remainder is not read.
 * @throws TidegateError BAD_REQUEST when it is not JSON.
 */
export async function readLimitedJson(request: Request): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'The body has to be application/json.');
  }
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  const bytes = await readBytes(request);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new TidegateError('BAD_REQUEST', 'The body is not JSON.');
  }
}

async function readBytes({ body }: Request): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = body?.getReader();
  for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
    size += next.value.byteLength;
    if (size > MAX_BODY_BYTES) {
      // Released instead of cancelled: a cancel closes the connection before the client has its answer.
      reader?.releaseLock();
      throw tooLarge(MAX_BODY_BYTES);
    }
    chunks.push(next.value);
  }
  return Buffer.concat(chunks, size);
}

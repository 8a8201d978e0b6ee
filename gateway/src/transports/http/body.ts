import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { TidegateError } from '@tidegate/core';
import { readBody } from '@tidegate/runtime/http';
import { parse } from 'content-type';

/** Form of a body that holds an operation. */
export type BodyForm = 'json' | 'form' | 'document';

const FORMS: Readonly<Record<string, BodyForm>> = {
  'application/json': 'json',
  'application/graphql+json': 'json',
  'application/x-www-form-urlencoded': 'form',
  'application/graphql': 'document',
};

type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const CODINGS: Readonly<Record<string, Inflate>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Content codings that `readText` inflates, for `Accept-Encoding` of a refusal. */
export const bodyCodings = 'gzip, deflate, br';

/** Returns the form that the content type declares. @throws TidegateError UNSUPPORTED_MEDIA_TYPE */
export function bodyFormOf(request: IncomingMessage): BodyForm {
  const { type, parameters } = parse(request.headers['content-type'] ?? '');
  const form = Object.hasOwn(FORMS, type.toLowerCase()) ? FORMS[type.toLowerCase()] : undefined;
  if (!form) throw unsupported(`Send the operation as ${Object.keys(FORMS).join(', ')}.`);
  const charset = parameters['charset'] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) throw unsupported('The charset has to be utf-8.');
  return form;
}

/** Returns the coding of the body; undefined: none. @throws TidegateError UNSUPPORTED_MEDIA_TYPE */
export function bodyCodingOf(request: IncomingMessage): string | undefined {
  const coding = request.headers['content-encoding']?.trim().toLowerCase() || 'identity';
  if (coding === 'identity') return undefined;
  if (Object.hasOwn(CODINGS, coding)) return coding;
  throw unsupported(`Send the body without a content coding, or with one of ${bodyCodings}.`);
}

/**
 * Reads a body of UTF-8 text, with or without a byte order mark.
 *
 * @param maxBytes maximum size, both as sent and inflated.
 * @throws TidegateError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST
 */
export async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const coding = bodyCodingOf(request);
  const body = await readBody(request, maxBytes);
  const bytes = coding === undefined ? body : await inflated(body, coding, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TidegateError('BAD_REQUEST', 'The body is not UTF-8.');
  }
}

async function inflated(body: Buffer, coding: string, maxBytes: number): Promise<Buffer> {
  try {
    return await CODINGS[coding]!(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TidegateError('PAYLOAD_TOO_LARGE', `The inflated body is larger than ${maxBytes} bytes.`, {
        details: { maxBodyBytes: maxBytes },
      });
    }
    throw new TidegateError('BAD_REQUEST', `The body is not ${coding}.`);
  }
}

function unsupported(message: string): TidegateError {
  return new TidegateError('UNSUPPORTED_MEDIA_TYPE', message);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import { requireBodyWithin } from '@tidegate/runtime/http';
import type { OperationParams } from '../../graphql/operation-params.ts';
import { acceptsEventStream } from './accept.ts';
import { bodyCodingOf, bodyFormOf, readText } from './body.ts';
import { parseBodyParams, parseQueryParams } from './params.ts';

/** Returns the parameters of the query string. */
export function searchParamsOf(request: IncomingMessage): URLSearchParams {
  const { url = '' } = request;
  const question = url.indexOf('?');
  return new URLSearchParams(question === -1 ? '' : url.slice(question));
}

/**
 * Returns the `Authorization` of a request. EventSource cannot send the header: a GET for an event stream, and no
 * other request, may carry the token as a parameter (RFC 6750, section 2.3).
 *
 * @throws TidegateError BAD_REQUEST when a request carries both, which the RFC forbids.
 */
export function authorizationOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (request.method !== 'GET' || !acceptsEventStream(request)) return authorization;
  const token = searchParamsOf(request).get('access_token');
  if (token === null) return authorization;
  if (authorization !== undefined) {
    throw new TidegateError('BAD_REQUEST', 'Send the token in one way only: as header or as parameter.');
  }
  return `Bearer ${token}`;
}

/** Returns the W3C trace context of a request. */
export function traceparentOf(request: IncomingMessage): string | undefined {
  const { traceparent } = request.headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

/**
 * Checks the declared size, type and coding of a body before it is read.
 *
 * @throws TidegateError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export function requireReadableBody(request: IncomingMessage, maxBytes: number): void {
  requireBodyWithin(request, maxBytes);
  if (request.method !== 'POST') return;
  bodyFormOf(request);
  bodyCodingOf(request);
}

/**
 * Reads the operation of a request: of the query string of a GET, or else of the body.
 *
 * @throws TidegateError BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export async function readParams(request: IncomingMessage, maxBytes: number): Promise<OperationParams> {
  if (request.method === 'GET') return parseQueryParams(searchParamsOf(request));
  return parseBodyParams(await readText(request, maxBytes), bodyFormOf(request));
}

/** Requires one of these methods. @throws TidegateError METHOD_NOT_ALLOWED, after setting `Allow`. */
export function requireMethod(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  if (methods.includes(request.method ?? '')) return;
  response.setHeader('allow', methods.join(', '));
  throw new TidegateError('METHOD_NOT_ALLOWED', `This is asked by ${methods.join(' or ')}.`);
}

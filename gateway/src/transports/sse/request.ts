import type { IncomingMessage } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { OperationParams } from '../../graphql/document-cache.ts';

/** True when the client wants an event stream. */
export function wantsEventStream(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

export function searchParams(request: IncomingMessage): URLSearchParams {
  const { url = '' } = request;
  const question = url.indexOf('?');
  return new URLSearchParams(question === -1 ? '' : url.slice(question));
}

/** The reservation's token of "single connection mode": a header, or a parameter for what can send no header. */
export function streamTokenOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-graphql-event-stream-token'];
  if (typeof header === 'string' && header !== '') return header;
  return searchParams(request).get('token') ?? undefined;
}

/**
 * The `Authorization` value. EventSource cannot send one: for an event stream by GET, and for nothing else, the token
 * may be a parameter (RFC 6750, section 2.3).
 *
 * @throws TidegateError BAD_REQUEST when it is given both ways, which the RFC forbids.
 */
export function authorizationOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (request.method !== 'GET' || !wantsEventStream(request)) return authorization;
  const token = searchParams(request).get('access_token');
  if (token === null) return authorization;
  if (authorization !== undefined) {
    throw new TidegateError('BAD_REQUEST', 'Send the token in one way only: as header or as parameter.');
  }
  return `Bearer ${token}`;
}

/** `Last-Event-ID` is what a reconnecting EventSource sends; a first request may carry the cursor in extensions. */
export function cursorOf(request: IncomingMessage, params: OperationParams): string | undefined {
  const lastEventId = request.headers['last-event-id'];
  if (typeof lastEventId === 'string' && lastEventId !== '') return lastEventId;
  return extensionsCursor(params);
}

export function extensionsCursor(params: OperationParams): string | undefined {
  const cursor = params.extensions?.['cursor'];
  return typeof cursor === 'string' ? cursor : undefined;
}

const MAX_OPERATION_ID_LENGTH = 128;

/** @throws TidegateError BAD_REQUEST for an operation id that is missing, empty or too long. */
export function parseOperationId(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_OPERATION_ID_LENGTH) return value;
  throw new TidegateError(
    'BAD_REQUEST',
    `\`operationId\` has to be a text of 1 to ${MAX_OPERATION_ID_LENGTH} characters.`,
  );
}

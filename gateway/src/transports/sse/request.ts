import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import { cursorOf, type OperationParams } from '../../graphql/operation-params.ts';
import { searchParamsOf } from '../http/request.ts';
import { MAX_OPERATION_ID_BYTES } from '../operation-id.ts';

/** Reads the reservation token of "single connection mode": a header, or a parameter for clients without headers. */
export function streamTokenOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-graphql-event-stream-token'];
  if (typeof header === 'string' && header !== '') return header;
  return searchParamsOf(request).get('token') ?? undefined;
}

/** Reads `Last-Event-ID`, which a reconnecting EventSource sends, or else the cursor in `extensions`. */
export function resumeCursorOf(request: IncomingMessage, params: OperationParams): string | undefined {
  const lastEventId = request.headers['last-event-id'];
  if (typeof lastEventId === 'string' && lastEventId !== '') return lastEventId;
  return cursorOf(params);
}

/** @throws TidegateError BAD_REQUEST when the operation id is missing, empty or too long. */
export function parseOperationId(value: unknown): string {
  if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_OPERATION_ID_BYTES) {
    return value;
  }
  throw new TidegateError(
    'BAD_REQUEST',
    `\`operationId\` has to be a text of 1 to ${MAX_OPERATION_ID_BYTES} bytes.`,
  );
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

import type { IncomingMessage } from 'node:http';
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

/** Reads `Last-Event-ID`, which a reconnecting EventSource sends, or else the cursor in `extensions`. @throws as `cursorOf` does. */
export function resumeCursorOf(request: IncomingMessage, params: OperationParams): string | undefined {
  const cursor = cursorOf(params);
  const lastEventId = request.headers['last-event-id'];
  return typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : cursor;
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

import type { ServerResponse } from 'node:http';
import { errorCodes, isErrorCode, type ErrorCode } from '@tidegate/core';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { visibleResult } from '../../graphql/error-codes.ts';
import type { JsonType } from './accept.ts';
import { bodyCodings } from './body.ts';

/**
 * Errors of the operation, and not of the request. `application/json` has no way to tell them from those of a proxy, so
 * GraphQL over HTTP answers them 200 in that type.
 */
const OF_THE_OPERATION: ReadonlySet<ErrorCode> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** Answers with errors and the status of the first one; cuts a response that has already begun. */
export function answerErrors(
  response: ServerResponse,
  errors: readonly GraphQLError[],
  type: JsonType = 'application/graphql-response+json',
): void {
  if (response.headersSent) return void response.destroy();
  answerResult(response, { errors }, type);
}

/** Answers with a result: 200 when the operation was executed, else the status of the first error. */
export function answerResult(response: ServerResponse, result: ExecutionResult, type: JsonType): void {
  if (response.destroyed) return;
  const code = result.data === undefined ? codeOf(result.errors?.[0]) : undefined;
  const status = code === undefined || isToldBy200(code, type) ? 200 : errorCodes[code].httpStatus;
  const body = Buffer.from(JSON.stringify(visibleResult(result)));
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 413 && { connection: 'close' }),
    ...(status === 415 && { 'accept-encoding': bodyCodings }),
    ...((status === 429 || status === 503) && { 'retry-after': retryAfter(result.errors ?? []) }),
  });
  response.end(body);
}

function codeOf(error: GraphQLError | undefined): ErrorCode {
  const code = error?.extensions['code'];
  return isErrorCode(code) ? code : 'INTERNAL';
}

function isToldBy200(code: ErrorCode, type: JsonType): boolean {
  return type === 'application/json' && OF_THE_OPERATION.has(code);
}

/** Returns the value of `Retry-After`, in seconds. Default 1. */
function retryAfter([first]: readonly GraphQLError[]): string {
  const retryAfterMs = first?.extensions['retryAfterMs'];
  return typeof retryAfterMs === 'number' ? String(Math.ceil(retryAfterMs / 1000)) : '1';
}

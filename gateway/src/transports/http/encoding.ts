import type { ServerResponse } from 'node:http';
import { errorCodes, isErrorCode } from '@tidegate/core';
import type { GraphQLError } from 'graphql';
import { visibleErrors } from '../../graphql/error-codes.ts';

/** Answers with errors and the status of the first one; cuts a response that has already begun. */
export function answerErrors(response: ServerResponse, errors: readonly GraphQLError[]): void {
  if (response.headersSent) return void response.destroy();
  const code = errors[0]?.extensions['code'];
  const status = isErrorCode(code) ? errorCodes[code].httpStatus : 500;
  response.writeHead(status, {
    'content-type': 'application/graphql-response+json; charset=utf-8',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 413 && { connection: 'close' }),
    ...((status === 429 || status === 503) && { 'retry-after': retryAfter(errors) }),
  });
  response.end(JSON.stringify({ errors: visibleErrors(errors) }));
}

/** Returns the value of `Retry-After`, in seconds. Default 1. */
function retryAfter([first]: readonly GraphQLError[]): string {
  const retryAfterMs = first?.extensions['retryAfterMs'];
  return typeof retryAfterMs === 'number' ? String(Math.ceil(retryAfterMs / 1000)) : '1';
}

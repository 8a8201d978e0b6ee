import type { ServerResponse } from 'node:http';
import { errorCodes, isErrorCode } from '@tidegate/core';
import type { GraphQLError } from 'graphql';
import { visibleErrors } from '../../graphql/error-codes.ts';

/** Answers with errors and the status of the first one; cuts a response that has already begun. */
export function answerErrors(response: ServerResponse, errors: readonly GraphQLError[]): void {
  if (response.headersSent) return void response.destroy();
  const { code, retryAfterMs } = errors[0]?.extensions ?? {};
  const retryAfter = typeof retryAfterMs === 'number' ? Math.ceil(retryAfterMs / 1_000) : 1;
  const status = isErrorCode(code) ? errorCodes[code].httpStatus : 500;
  response.writeHead(status, {
    'content-type': 'application/graphql-response+json; charset=utf-8',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 413 && { connection: 'close' }),
    ...((status === 429 || status === 503) && { 'retry-after': String(retryAfter) }),
  });
  response.end(JSON.stringify({ errors: visibleErrors(errors) }));
}

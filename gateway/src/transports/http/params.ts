import { TidegateError } from '@tidegate/core';
import { z } from 'zod';
import type { OperationParams } from '../../graphql/document-cache.ts';

const record = z.record(z.string(), z.unknown()).nullish();
const params = z.object({
  query: z.string().nullish(),
  documentId: z.string().optional(),
  operationName: z.string().nullish(),
  variables: record,
  extensions: record,
});

/** GraphQL over HTTP's JSON body. @throws TidegateError BAD_REQUEST naming what is wrong with it. */
export function parseBodyParams(body: Buffer): OperationParams {
  return checked(json(body.toString('utf8'), 'The body'));
}

/** GraphQL over HTTP's query string: `variables` and `extensions` are JSON texts in it. */
export function parseQueryParams(search: URLSearchParams): OperationParams {
  const given: Record<string, unknown> = {};
  for (const name of ['query', 'documentId', 'operationName']) {
    const value = search.get(name);
    if (value !== null) given[name] = value;
  }
  for (const name of ['variables', 'extensions']) {
    const value = search.get(name);
    if (value !== null && value !== '') given[name] = json(value, `\`${name}\``);
  }
  return checked(given);
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TidegateError('BAD_REQUEST', `${what} is not JSON.`);
  }
}

function checked(value: unknown): OperationParams {
  const parsed = params.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TidegateError('BAD_REQUEST', `Not a GraphQL request: ${z.prettifyError(parsed.error)}`);
}

import { TidegateError } from '@tidegate/core';
import { z } from 'zod';
import type { OperationParams } from '../../graphql/operation-params.ts';

const record = z.record(z.string(), z.unknown()).nullish();
const params = z.object({
  query: z.string().nullish(),
  documentId: z.string().optional(),
  operationName: z.string().nullish(),
  variables: record,
  extensions: record,
});

/** Parses the JSON body of GraphQL over HTTP. @throws TidegateError BAD_REQUEST that names the fault. */
export function parseBodyParams(body: Buffer): OperationParams {
  return parse(parseJson(body.toString('utf8'), 'The body'));
}

/**
 * Parses the query string of GraphQL over HTTP, in which `variables` and `extensions` are JSON texts.
 *
 * @throws TidegateError BAD_REQUEST that names the fault.
 */
export function parseQueryParams(search: URLSearchParams): OperationParams {
  const given: Record<string, unknown> = {};
  for (const name of ['query', 'documentId', 'operationName']) {
    const value = search.get(name);
    if (value !== null) given[name] = value;
  }
  for (const name of ['variables', 'extensions']) {
    const value = search.get(name);
    if (value !== null && value !== '') given[name] = parseJson(value, `\`${name}\``);
  }
  return parse(given);
}

function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TidegateError('BAD_REQUEST', `${subject} is not JSON.`);
  }
}

function parse(value: unknown): OperationParams {
  const parsed = params.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TidegateError('BAD_REQUEST', `Not a GraphQL request: ${z.prettifyError(parsed.error)}`);
}

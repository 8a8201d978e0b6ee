import { TidegateError } from '@tidegate/core';
import { parseOperationParams, type OperationParams } from '../../graphql/operation-params.ts';
import type { BodyForm } from './body.ts';

/** Parses the body of GraphQL over HTTP. @throws TidegateError BAD_REQUEST that names the fault. */
export function parseBodyParams(text: string, form: BodyForm): OperationParams {
  if (form === 'document') return { query: text };
  if (form === 'form') return parseQueryParams(new URLSearchParams(text));
  return parseOperationParams(parseJson(text, 'The body'));
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
  return parseOperationParams(given);
}

function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TidegateError('BAD_REQUEST', `${subject} is not JSON.`);
  }
}

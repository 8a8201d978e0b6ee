import { TidegateError } from '@tidegate/core';
import { GraphQLError } from 'graphql';

/** Parameters of a GraphQL request, the same for all transports. */
export interface OperationParams {
  readonly query?: string | null | undefined;
  readonly documentId?: string | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

/**
 * Returns the text of the document: `query`, or the trusted document with the id in `documentId` or in the
 * persisted-query extension.
 *
 * @throws TidegateError DOCUMENT_NOT_TRUSTED when there is no document of this id, or when `trustedOnly` is true and
 * no id is sent; GraphQLError when there is neither an id nor a text.
 */
export function documentText(
  params: OperationParams,
  trusted: ReadonlyMap<string, string> | undefined,
  trustedOnly: boolean,
): string {
  const id = documentIdOf(params);
  if (typeof id === 'string') {
    const text = trusted?.get(id.replace(/^sha256:/, ''));
    if (text !== undefined) return text;
    throw new TidegateError('DOCUMENT_NOT_TRUSTED', 'There is no document of this id.');
  }
  if (trustedOnly) {
    throw new TidegateError(
      'DOCUMENT_NOT_TRUSTED',
      'Send `documentId`: only registered documents are executed here.',
    );
  }
  if (typeof params.query === 'string' && params.query.trim() !== '') return params.query;
  throw new GraphQLError('Must provide query string.', { extensions: { code: 'BAD_REQUEST' } });
}

/** Returns the resume cursor in `extensions`. */
export function cursorOf({ extensions }: OperationParams): string | undefined {
  const cursor = extensions?.['cursor'];
  return typeof cursor === 'string' ? cursor : undefined;
}

/** True for parameters that name their document by its id. */
export function namesDocument(params: OperationParams): boolean {
  return typeof documentIdOf(params) === 'string';
}

function documentIdOf({ documentId, extensions }: OperationParams): unknown {
  const persisted = extensions?.['persistedQuery'] as { sha256Hash?: unknown } | null | undefined;
  return documentId ?? persisted?.sha256Hash;
}

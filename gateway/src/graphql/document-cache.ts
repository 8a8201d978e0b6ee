import { createHash } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import { GraphQLError, parse, print, validate, type DocumentNode, type GraphQLSchema } from 'graphql';

/** A document parsed and validated once. */
export interface PreparedDocument {
  readonly document: DocumentNode;
  /** SHA-256 of the printed document: equal for documents that differ in white space and comments only. */
  readonly hash: string;
}

const MAX_TOKENS = 2_000;
const MAX_DOCUMENTS = 1_000;
const MAX_ERRORS = 5;

/** Parse and validate cost a hundred times what execution does: keep the newest documents' results. */
export class DocumentCache {
  readonly #schema: GraphQLSchema;
  readonly #prepared = new Map<string, PreparedDocument>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** @throws an AggregateError of GraphQLErrors; only valid documents are kept. */
  prepare(text: string): PreparedDocument {
    const known = this.#prepared.get(text);
    if (known) return known;
    const document = parse(text, { maxTokens: MAX_TOKENS });
    const errors = validate(this.#schema, document, undefined, { maxErrors: MAX_ERRORS });
    if (errors.length > 0) throw new AggregateError(errors, 'the document does not fit the schema');
    const prepared = { document, hash: createHash('sha256').update(print(document)).digest('base64url') };
    this.#prepared.set(text, prepared);
    if (this.#prepared.size > MAX_DOCUMENTS) this.#prepared.delete(this.#prepared.keys().next().value!);
    return prepared;
  }
}

/** Whatever `prepare` or execution threw, as a list. */
export function errorsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors : [error];
}

/** The parameters of a GraphQL request, over whichever transport. */
export interface OperationParams {
  readonly query?: string | null | undefined;
  readonly documentId?: string | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

/**
 * The document's text: sent along, or named by id (`documentId`, or the persisted-query extension's hash).
 *
 * @throws TidegateError DOCUMENT_NOT_TRUSTED when only trusted documents are executed and this is not one.
 */
export function documentText(
  params: OperationParams,
  trusted: ReadonlyMap<string, string> | undefined,
  trustedOnly: boolean,
): string {
  const persisted = params.extensions?.['persistedQuery'] as { sha256Hash?: unknown } | undefined;
  const id = params.documentId ?? persisted?.sha256Hash;
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

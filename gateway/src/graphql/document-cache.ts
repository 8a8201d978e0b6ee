import { createHash } from 'node:crypto';
import { parse, print, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';

/** A parsed and validated document. */
export interface PreparedDocument {
  readonly document: DocumentNode;
  /** SHA-256 of the printed document: equal for documents that differ only in white space and comments. */
  readonly hash: string;
}

const MAX_TOKENS = 2_000;
const MAX_DOCUMENTS = 1_000;
const MAX_ERRORS = 5;

/** Cache of the documents of one schema, by their text. Parsing and validation cost a hundred times an execution. */
export class DocumentCache {
  readonly #schema: GraphQLSchema;
  readonly #prepared = new LRUCache<string, PreparedDocument>({ max: MAX_DOCUMENTS });

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** @throws an AggregateError of GraphQLErrors when the document is not valid. Only valid documents are cached. */
  prepare(text: string): PreparedDocument {
    const known = this.#prepared.get(text);
    if (known) return known;
    const document = parse(text, { maxTokens: MAX_TOKENS });
    const errors = validate(this.#schema, document, undefined, { maxErrors: MAX_ERRORS });
    if (errors.length > 0) throw new AggregateError(errors, 'the document does not fit the schema');
    const prepared = { document, hash: createHash('sha256').update(print(document)).digest('base64url') };
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

/** Returns the errors that `prepare` or an execution threw, as a list. */
export function errorsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors : [error];
}

import { createHash } from 'node:crypto';
import type { Bff } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import {
  getOperationAST,
  GraphQLError,
  parse,
  print,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { requireShapeWithin, requireWithin, tooComplex } from './document-shape.ts';
import { CostModel } from './operation-cost.ts';
import type { OperationLimits } from './operation-limits.ts';
import { parseOperationParams, persistedHashOf, type OperationParams } from './operation-params.ts';
import { requireVariablesWithin } from './variables-shape.ts';

/** An operation that may be executed: found, parsed, validated, within the limits. */
export interface PreparedOperation {
  readonly document: DocumentNode;
  /** Facts of the document, shared by all its operations. */
  readonly source: ValidDocument;
  readonly operation: OperationDefinitionNode;
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** Undefined when the request names none, or an empty one. */
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Cost in units of about one call of a service, at least 1; a subscription's is that of one message. */
  readonly cost: number;
}

export interface DocumentsOptions {
  readonly schema: GraphQLSchema;
  readonly bff: Pick<Bff, 'trustedDocuments' | 'cost'>;
  /** True: executes trusted documents only. */
  readonly trustedOnly: boolean;
  readonly limits: OperationLimits;
}

const MAX_ERRORS = 5;
/** Approximate memory of a token with its node, in bytes. Comments are tokens too. */
const BYTES_PER_TOKEN = 400;
const NOT_FOUND = 'PersistedQueryNotFound';
const NOT_SUPPORTED = 'PersistedQueryNotSupported';

/**
 * The one way to a document of one schema, for every transport: finds its text, parses it, checks its limits,
 * validates it and calculates its cost. Valid documents are cached, by their text and in bytes: parsing and validation
 * cost a hundred times an execution.
 */
export class Documents {
  readonly #options: DocumentsOptions;
  readonly #costs: CostModel;
  readonly #maxCost: number;
  readonly #cached: LRUCache<string, ValidDocument>;
  /** Texts by their SHA-256, for clients with automatic persisted queries. */
  readonly #persisted: LRUCache<string, string>;
  /** A transport asks several times for the operation of one request. */
  readonly #prepared = new WeakMap<OperationParams, PreparedOperation | { readonly error: unknown }>();

  constructor(options: DocumentsOptions) {
    const { schema, bff, limits } = options;
    this.#options = options;
    this.#costs = new CostModel(schema, bff.cost);
    this.#maxCost = bff.cost?.maxCost ?? limits.maxOperationCost;
    const maxSize = Math.ceil(limits.documentCacheBytes / 2);
    this.#cached = new LRUCache({
      maxSize,
      sizeCalculation: (cached, text) => bytesOf(cached.document, text),
    });
    this.#persisted = new LRUCache({
      maxSize,
      sizeCalculation: (text, hash) => 2 * text.length + hash.length,
    });
  }

  /** Maximum cost of an operation. */
  get maxCost(): number {
    return this.#maxCost;
  }

  /**
   * Returns the operation of a request. Nothing is executed.
   *
   * @throws TidegateError BAD_REQUEST, DOCUMENT_NOT_TRUSTED, PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED,
   * OPERATION_TOO_COMPLEX; GraphQLError for a syntax error; AggregateError of GraphQLErrors when the document does not
   * fit the schema.
   */
  prepare(params: OperationParams): PreparedOperation {
    let known = this.#prepared.get(params);
    if (!known) this.#prepared.set(params, (known = this.#tryPrepare(params)));
    if ('error' in known) throw known.error;
    return known;
  }

  #tryPrepare(params: OperationParams): PreparedOperation | { readonly error: unknown } {
    try {
      return this.#prepare(params);
    } catch (error) {
      return { error };
    }
  }

  #prepare(params: OperationParams): PreparedOperation {
    const { operationName, variables } = parseOperationParams(params);
    const text = this.#textOf(params);
    const cached = this.#cached.get(text) ?? this.#load(text);
    this.#remember(params, text);
    const name = operationName || undefined;
    const operation = getOperationAST(cached.document, name);
    if (!operation) throw noOperation(name);
    requireVariablesWithin(variables ?? {}, this.#options.limits);
    return {
      document: cached.document,
      source: cached,
      operation,
      kind: operation.operation,
      operationName: name,
      variables: variables ?? {},
      cost: this.#cost(cached, operation, variables ?? {}),
    };
  }

  #load(text: string): ValidDocument {
    const { limits, schema } = this.#options;
    requireWithin('maxDocumentBytes', Buffer.byteLength(text), limits);
    const document = parseWithin(text, limits);
    requireShapeWithin(document, limits);
    const errors = validate(schema, document, undefined, { maxErrors: MAX_ERRORS });
    if (errors.length > 0) throw new AggregateError(errors, 'the document does not fit the schema');
    const cached = new ValidDocument(document);
    this.#cached.set(text, cached);
    return cached;
  }

  #cost(
    cached: ValidDocument,
    operation: OperationDefinitionNode,
    variables: Record<string, unknown>,
  ): number {
    let cost = cached.costs.get(operation);
    if (cost === undefined) {
      const calculated = this.#costs.costOf(cached.document, operation, variables);
      ({ cost } = calculated);
      if (calculated.isConstant) cached.costs.set(operation, cost);
    }
    if (cost > this.#maxCost) throw tooComplex('maxOperationCost', this.#maxCost, cost);
    return cost;
  }

  #textOf(params: OperationParams): string {
    const { trustedOnly, bff } = this.#options;
    const hash = persistedHashOf(params);
    const id = params.documentId ?? hash;
    const trusted = id === undefined ? undefined : bff.trustedDocuments?.get(id.replace(/^sha256:/, ''));
    if (trusted !== undefined) return trusted;
    if (typeof params.documentId === 'string') {
      throw new TidegateError('DOCUMENT_NOT_TRUSTED', 'There is no document of this id.');
    }
    const query = params.query?.trim() ? params.query : undefined;
    if (hash !== undefined && query === undefined) return this.#persistedText(hash);
    if (trustedOnly) {
      throw new TidegateError(
        'DOCUMENT_NOT_TRUSTED',
        'Send `documentId`: only registered documents are executed here.',
      );
    }
    if (query === undefined) throw new TidegateError('BAD_REQUEST', 'Must provide query string.');
    if (hash !== undefined && hash !== sha256(query)) {
      throw new TidegateError(
        'BAD_REQUEST',
        '`extensions.persistedQuery.sha256Hash` is not that of `query`.',
      );
    }
    return query;
  }

  /** The messages are those that clients compare. */
  #persistedText(hash: string): string {
    if (this.#options.trustedOnly) throw new TidegateError('PERSISTED_QUERY_NOT_SUPPORTED', NOT_SUPPORTED);
    const text = this.#persisted.get(hash);
    if (text === undefined) throw new TidegateError('PERSISTED_QUERY_NOT_FOUND', NOT_FOUND);
    return text;
  }

  /** Stores a valid document that came with its hash. */
  #remember(params: OperationParams, text: string): void {
    const hash = persistedHashOf(params);
    if (hash !== undefined && text === params.query && !this.#persisted.has(hash))
      this.#persisted.set(hash, text);
  }
}

/** A valid document with the facts that are calculated from it on first use. */
export class ValidDocument {
  readonly document: DocumentNode;
  readonly costs = new Map<OperationDefinitionNode, number>();
  #hash: string | undefined;

  constructor(document: DocumentNode) {
    this.document = document;
  }

  /** SHA-256 of the printed document: equal for documents that differ only in white space and comments. */
  get hash(): string {
    return (this.#hash ??= createHash('sha256').update(print(this.document)).digest('base64url'));
  }
}

/** @throws TidegateError OPERATION_TOO_COMPLEX, GraphQLError */
function parseWithin(text: string, { maxDocumentTokens: maxTokens }: OperationLimits): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    // The parser has no error of its own for these.
    const isTooLong = error instanceof GraphQLError && error.message.includes(`${maxTokens} tokens`);
    if (isTooLong || error instanceof RangeError) throw tooComplex('maxDocumentTokens', maxTokens);
    throw error;
  }
}

function noOperation(name: string | undefined): TidegateError {
  const message =
    name === undefined
      ? 'The document has several operations: name one in `operationName`.'
      : 'The document has no operation of this name.';
  return new TidegateError('BAD_REQUEST', message);
}

function bytesOf(document: DocumentNode, text: string): number {
  let tokens = 0;
  for (let token = document.loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return 2 * text.length + tokens * BYTES_PER_TOKEN;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

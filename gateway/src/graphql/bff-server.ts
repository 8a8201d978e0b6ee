import { assertLiveFields, type Bff, type BffContext, type Consistency, type Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { ServiceClient } from '@tidegate/service/operations';
import type { SharedState } from '@tidegate/shared-state';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  execute,
  getOperationAST,
  GraphQLError,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { createSchema, createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { DocumentCache, documentText, errorsOf, type OperationParams } from './document-cache.ts';
import { createErrorMask } from './error-codes.ts';
import { createLiveRequest, type LiveOperation } from './live-operation.ts';
import { OperationContext } from './operation-context.ts';
import { createLastWriteStore } from './read-your-writes.ts';

/** What the HTTP and WebSocket borders found out about a request before GraphQL sees it. */
export interface RequestFacts {
  readonly viewer: Viewer;
  readonly traceparent: string | undefined;
}

export interface BffServerOptions {
  readonly bff: Bff;
  readonly client: ServiceClient;
  readonly state: SharedState;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** False executes any document even on a BFF with trusted documents: for development and protocol audits. */
  readonly trustedOnly: boolean;
}

type BffYoga = YogaServerInstance<{ facts: RequestFacts }, object>;

/** A BFF and what was made of it. */
interface Serving {
  readonly bff: Bff;
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly yoga: BffYoga;
  /** Counts replacements. */
  readonly generation: number;
}

/** One BFF, served: its schema, its Yoga for queries and mutations, its subscriptions as the hub takes them. */
export class BffServer {
  readonly mask: (error: unknown) => GraphQLError;
  readonly #options: BffServerOptions;
  #serving: Serving;

  constructor(options: BffServerOptions) {
    this.#options = options;
    this.mask = createErrorMask(options.logger);
    this.#serving = this.#serve(options.bff, 0);
  }

  /**
   * Serves what begins from now on by this BFF, of the same name. What runs keeps the schema, the resolvers and the
   * live fields that it began with.
   *
   * @throws Error when its schema cannot be built: all stays as it is.
   */
  replace(bff: Bff): void {
    if (bff.name !== this.bff.name) throw new Error(`${bff.name} cannot take the place of ${this.bff.name}`);
    this.#serving = this.#serve(bff, this.#serving.generation + 1);
  }

  get bff(): Bff {
    return this.#serving.bff;
  }

  get schema(): GraphQLSchema {
    return this.#serving.schema;
  }

  get yoga(): BffYoga {
    return this.#serving.yoga;
  }

  get path(): string {
    return pathOf(this.bff);
  }

  /** Which kind of operation these parameters name. @throws as `createLiveRequest` does. */
  operationKind(params: OperationParams): 'query' | 'mutation' | 'subscription' {
    const document = this.document(params);
    const operation = getOperationAST(document, params.operationName);
    if (!operation) throw new TidegateError('BAD_REQUEST', 'The document has no operation of this name.');
    return operation.operation;
  }

  /** The parsed and validated document. @throws as `createLiveRequest` does. */
  document(params: OperationParams): DocumentNode {
    return this.#serving.documents.prepare(this.documentText(params)).document;
  }

  documentText(params: OperationParams): string {
    const { trustedDocuments } = this.bff;
    return documentText(
      params,
      trustedDocuments,
      this.#options.trustedOnly && trustedDocuments !== undefined,
    );
  }

  /** @throws GraphQLErrors (as AggregateError) or TidegateError; `errors` turns either into what a client may see. */
  liveRequest(params: OperationParams, facts: RequestFacts, cursor: string | undefined): LiveOperation {
    const { bff, schema, generation, documents } = this.#serving;
    const prepared = documents.prepare(this.documentText(params));
    return createLiveRequest({
      bffName: bff.name,
      schema,
      generation,
      liveFields: bff.liveFields,
      prepared,
      params,
      viewer: facts.viewer,
      cursor,
      createContext: (viewer, traceparent) =>
        this.#createContext({ viewer, traceparent: traceparent ?? facts.traceparent }),
      maskErrors: (result) => this.#masked(result),
    });
  }

  /** Executes a query or mutation outside of HTTP. Never rejects: errors are in the result. */
  async execute(params: OperationParams, facts: RequestFacts): Promise<ExecutionResult> {
    try {
      const context = this.#createContext(facts);
      const result = await execute({
        schema: this.schema,
        document: this.document(params),
        operationName: params.operationName ?? null,
        variableValues: params.variables ?? {},
        contextValue: context,
      });
      return withFreshness(this.#masked(result), context.consistency);
    } catch (error) {
      return { errors: this.errors(error) };
    }
  }

  errors(error: unknown): GraphQLError[] {
    return errorsOf(error).map((each) => this.mask(each));
  }

  #createContext(facts: RequestFacts, signal?: AbortSignal): OperationContext {
    return new OperationContext({
      viewer: facts.viewer,
      client: this.#options.client,
      parent: facts.traceparent,
      signal,
      lastWrites: this.bff.readYourWrites
        ? createLastWriteStore(this.#options.state, facts.viewer)
        : undefined,
      createLoaders: this.bff.createLoaders,
    });
  }

  #masked(result: ExecutionResult): ExecutionResult {
    return result.errors ? { ...result, errors: result.errors.map((error) => this.mask(error)) } : result;
  }

  #serve(bff: Bff, generation: number): Serving {
    const schema = createSchema({ typeDefs: bff.typeDefs, resolvers: bff.resolvers as never });
    assertLiveFields(bff);
    const yoga = this.#createYoga(bff, schema);
    return { bff, schema, documents: new DocumentCache(schema), yoga, generation };
  }

  #createYoga(bff: Bff, schema: GraphQLSchema): BffYoga {
    return createYoga<{ facts: RequestFacts }, object>({
      schema,
      graphqlEndpoint: pathOf(bff),
      landingPage: false,
      graphiql: false,
      multipart: false,
      logging: false,
      cors: false,
      extraParamNames: ['documentId'],
      maxRequestBodySize: this.#options.maxBodyBytes,
      maskedErrors: { maskError: (error: unknown) => this.mask(error) },
      // Yoga copies own properties only: a getter of a class would be lost.
      context: ({ facts, request }): BffContext => {
        const { viewer, services, consistency, traceparent, loaders } = this.#createContext(
          facts,
          request?.signal,
        );
        return { viewer, services, consistency, traceparent, loaders };
      },
      plugins: [this.#documentPlugin(), noteStaleReads(), this.#codesPlugin()],
    });
  }

  /** Documents by id, and none but those where only they are trusted. */
  #documentPlugin(): Plugin {
    return {
      onParams: (hook) => {
        const { params } = hook;
        hook.setParams({ ...params, query: this.documentText(params as OperationParams) });
      },
    };
  }

  /** Validation and coercion errors do not pass `maskError`: give them their codes here. */
  #codesPlugin(): Plugin {
    return {
      onExecutionResult: (hook) => {
        const { result } = hook;
        if (result && 'errors' in result && result.errors)
          hook.setResult(this.#masked(result as ExecutionResult));
      },
    };
  }
}

function pathOf({ name }: Bff): string {
  return `/graphql/${name}`;
}

/** Tells the client, on Yoga's way out, when an answer is older than it asked for. */
function noteStaleReads(): Plugin {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone: ({ result, setResult }) => {
        const { consistency } = args.contextValue as unknown as BffContext;
        setResult(withFreshness(result as ExecutionResult, consistency));
      },
    }),
  };
}

function withFreshness(result: ExecutionResult, consistency: Consistency): ExecutionResult {
  if (consistency.satisfied) return result;
  return { ...result, extensions: { ...result.extensions, freshness: { satisfied: false } } };
}

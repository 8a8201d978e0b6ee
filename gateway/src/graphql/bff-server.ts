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
import { DocumentCache, errorsOf } from './document-cache.ts';
import { createErrorMask } from './error-codes.ts';
import { createLiveRequest, type LiveOperation } from './live-operation.ts';
import { OperationContext } from './operation-context.ts';
import { documentText, type OperationParams } from './operation-params.ts';
import { createLastWriteStore } from './read-your-writes.ts';

/** Facts about a request that its transport knows before GraphQL executes it. */
export interface RequestFacts {
  readonly viewer: Viewer;
  readonly traceparent: string | undefined;
}

export interface BffServerOptions {
  readonly bff: Bff;
  readonly client: ServiceClient;
  readonly state: SharedState;
  readonly logger: Logger;
  /** Maximum size of a request's body, in bytes. */
  readonly maxBodyBytes: number;
  /** False also executes untrusted documents on a BFF with trusted documents: for development and protocol audits. */
  readonly trustedOnly: boolean;
}

type BffYoga = YogaServerInstance<{ facts: RequestFacts }, object>;

/** A BFF with the parts that are built from it. */
interface Serving {
  readonly bff: Bff;
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly yoga: BffYoga;
  /** Number of replacements before this one. */
  readonly generation: number;
}

/** Executes the operations of one BFF: queries and mutations by Yoga, subscriptions as requests to the hub. */
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
   * Replaces the BFF by one of the same name for all operations that begin later. Running operations keep the schema,
   * the resolvers and the live fields that they began with.
   *
   * @throws Error when the schema cannot be built; the BFF is not replaced then.
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

  /** Returns the kind of the operation. @throws as `liveRequest` does. */
  operationKind(params: OperationParams): 'query' | 'mutation' | 'subscription' {
    const document = this.document(params);
    const operation = getOperationAST(document, params.operationName);
    if (!operation) throw new TidegateError('BAD_REQUEST', 'The document has no operation of this name.');
    return operation.operation;
  }

  /** Returns the parsed and validated document. @throws as `liveRequest` does. */
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

  /**
   * Creates the hub's request for a subscription.
   *
   * @throws GraphQLErrors (as AggregateError) or TidegateError; `errors` converts both for a client.
   */
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

  /**
   * Executes a query or mutation without HTTP. Never rejects: errors are in the result.
   *
   * @param signal ends the execution and its calls of services early. Default: it runs to its end.
   */
  async execute(
    params: OperationParams,
    facts: RequestFacts,
    signal?: AbortSignal,
  ): Promise<ExecutionResult> {
    try {
      const context = this.#createContext(facts, signal);
      const result = await execute({
        schema: this.schema,
        document: this.document(params),
        operationName: params.operationName ?? null,
        variableValues: params.variables ?? {},
        contextValue: context,
        abortSignal: signal,
      });
      return withConsistency(this.#masked(result), context.consistency);
    } catch (error) {
      // The error of the abort itself, which nobody receives.
      if (signal?.aborted) return { data: null };
      return { errors: this.errors(error) };
    }
  }

  /** Returns the errors of a thrown value as a client may see them. */
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
      // Yoga copies own properties only, so the getters of the class would be lost.
      context: ({ facts, request }): BffContext => {
        const { viewer, services, consistency, traceparent, loaders } = this.#createContext(
          facts,
          request?.signal,
        );
        return { viewer, services, consistency, traceparent, loaders };
      },
      plugins: [this.#documentPlugin(), reportConsistency(), this.#codesPlugin()],
    });
  }

  /** Replaces document ids by their text, and refuses untrusted documents where only trusted ones are executed. */
  #documentPlugin(): Plugin {
    return {
      onParams: (hook) => {
        const { params } = hook;
        hook.setParams({ ...params, query: this.documentText(params as OperationParams) });
      },
    };
  }

  /** Adds codes to errors of validation and coercion, which Yoga does not pass to `maskError`. */
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

/** Reports in the extensions of Yoga's result when a read was older than the consistency token. */
function reportConsistency(): Plugin {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone: ({ result, setResult }) => {
        const { consistency } = args.contextValue as unknown as BffContext;
        setResult(withConsistency(result as ExecutionResult, consistency));
      },
    }),
  };
}

function withConsistency(result: ExecutionResult, consistency: Consistency): ExecutionResult {
  if (consistency.satisfied) return result;
  return { ...result, extensions: { ...result.extensions, freshness: { satisfied: false } } };
}

import { assertLiveFields, type Bff, type Consistency, type Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { ServiceClient } from '@tidegate/service/operations';
import type { SharedState } from '@tidegate/shared-state';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { createSchema, createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { Documents, type PreparedOperation } from './documents.ts';
import { createErrorMask } from './error-codes.ts';
import { createLiveRequest, type LiveOperation } from './live-operation.ts';
import { OperationContext } from './operation-context.ts';
import { defaultOperationLimits, type OperationLimits } from './operation-limits.ts';
import type { OperationParams } from './operation-params.ts';
import { createLastWriteStore } from './read-your-writes.ts';
import { isLargerThan } from './variables-shape.ts';

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
  /** Limits that differ from the defaults of `operationLimits`. */
  readonly limits?: Partial<OperationLimits>;
  /** False also executes untrusted documents on a BFF with trusted documents: for development and protocol audits. */
  readonly trustedOnly: boolean;
  /** Yoga and Envelop plugins around the execution of queries and mutations. Default: none. */
  readonly plugins?: readonly Plugin[] | undefined;
}

/** A BFF with the parts that are built from it. */
interface Serving {
  readonly bff: Bff;
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  /** Executes the queries and mutations of every transport, with the plugins around them. */
  readonly yoga: YogaServerInstance<object, object>;
  /** Number of replacements before this one. */
  readonly generation: number;
}

/** Executes the operations of one BFF: queries and mutations itself, subscriptions as requests to the hub. */
export class BffServer {
  readonly mask: (error: unknown) => GraphQLError;
  readonly #options: BffServerOptions;
  readonly #limits: OperationLimits;
  #serving: Serving;

  constructor(options: BffServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultOperationLimits, ...options.limits };
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

  get path(): string {
    return pathOf(this.bff);
  }

  /**
   * Returns the operation of a request, within all limits. Every transport gets its operations here.
   *
   * @throws errors that `errors` converts for a client; see `Documents.prepare`.
   */
  prepare(params: OperationParams): PreparedOperation {
    return this.#serving.documents.prepare(params);
  }

  /** Returns the cost that a request is charged: at least 1, also without a valid operation. */
  costOf(params: OperationParams | undefined): number {
    try {
      return params ? this.prepare(params).cost : 1;
    } catch {
      return 1;
    }
  }

  /** Returns the kind of the operation. @throws as `prepare` does. */
  operationKind(params: OperationParams): PreparedOperation['kind'] {
    return this.prepare(params).kind;
  }

  /** Returns the parsed and validated document. @throws as `prepare` does. */
  document(params: OperationParams): DocumentNode {
    return this.prepare(params).document;
  }

  /**
   * Creates the hub's request for a subscription.
   *
   * @throws GraphQLErrors (as AggregateError) or TidegateError; `errors` converts both for a client.
   */
  liveRequest(params: OperationParams, facts: RequestFacts, cursor: string | undefined): LiveOperation {
    const { bff, schema, generation, documents } = this.#serving;
    const prepared = documents.prepare(params);
    return createLiveRequest({
      bffName: bff.name,
      schema,
      generation,
      extensions: costExtension(params, prepared.cost, documents.maxCost),
      liveFields: bff.liveFields,
      prepared,
      viewer: facts.viewer,
      cursor,
      createContext: (viewer, traceparent) =>
        this.#createContext({ viewer, traceparent: traceparent ?? facts.traceparent }),
      maskErrors: (result) => this.#masked(result),
    });
  }

  /**
   * Executes a query or mutation. Never rejects: errors are in the result. A result without `data` is an operation that
   * was not executed, or whose result is larger than `maxResponseBytes`.
   *
   * @param signal ends the execution and its calls of services early. Default: it runs to its end.
   */
  async execute(
    params: OperationParams,
    facts: RequestFacts,
    signal?: AbortSignal,
  ): Promise<ExecutionResult> {
    const { documents, schema, yoga } = this.#serving;
    try {
      const prepared = documents.prepare(params);
      const context = this.#createContext(facts, signal);
      const { execute } = yoga.getEnveloped({ params });
      const result = (await execute({
        schema,
        document: prepared.document,
        operationName: prepared.operationName ?? null,
        variableValues: prepared.variables,
        contextValue: context,
        abortSignal: signal,
        // The name that Yoga's executor has for it.
        signal,
      } as ExecutionArgs)) as ExecutionResult;
      this.#requireSendable(result);
      const told = withConsistency(this.#masked(result), context.consistency);
      const extensions = costExtension(params, prepared.cost, documents.maxCost);
      return extensions ? { ...told, extensions: { ...told.extensions, ...extensions } } : told;
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
    const trustedOnly = this.#options.trustedOnly && bff.trustedDocuments !== undefined;
    const documents = new Documents({ schema, bff, trustedOnly, limits: this.#limits });
    return { bff, schema, documents, yoga: this.#createYoga(schema), generation };
  }

  /** Documents come parsed and validated from `Documents`, and errors are masked here for every transport alike. */
  #createYoga(schema: GraphQLSchema): YogaServerInstance<object, object> {
    return createYoga({
      schema,
      plugins: [...(this.#options.plugins ?? [])],
      maskedErrors: false,
      parserAndValidationCache: false,
      logging: false,
      graphiql: false,
      landingPage: false,
      cors: false,
    });
  }

  /** @throws TidegateError RESPONSE_TOO_LARGE */
  #requireSendable({ data }: ExecutionResult): void {
    const { maxResponseBytes } = this.#limits;
    if (!isLargerThan(data, maxResponseBytes)) return;
    throw new TidegateError('RESPONSE_TOO_LARGE', `The result is larger than ${maxResponseBytes} bytes.`, {
      details: { maxResponseBytes },
    });
  }
}

/** Returns the errors that `prepare` or an execution threw, as a list. */
function errorsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors : [error];
}

function pathOf({ name }: Bff): string {
  return `/graphql/${name}`;
}

function withConsistency(result: ExecutionResult, consistency: Consistency): ExecutionResult {
  if (consistency.satisfied) return result;
  return { ...result, extensions: { ...result.extensions, freshness: { satisfied: false } } };
}

/** Returns the cost for `extensions` when the request asks for it. */
function costExtension(
  { extensions }: OperationParams,
  operation: number,
  max: number,
): { readonly cost: { readonly operation: number; readonly max: number } } | undefined {
  return extensions?.['cost'] === true ? { cost: { operation, max } } : undefined;
}

import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/core';
import type { Consistency } from './consistency.ts';
import type { LiveField } from './live-field.ts';
import type { BffCost } from './operation-cost.ts';
import type { Viewer } from './viewer.ts';

/** Client of the services, bound to one operation's deadline, trace and cancellation. */
export interface Services {
  call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
  ): Promise<OutputOf<Definition>>;
}

/** Context of resolvers. Created for each operation, and for each event of a subscription group. */
export interface BffContext<Loaders = unknown> {
  readonly viewer: Viewer;
  readonly services: Services;
  /** The result of the BFF's `createLoaders`. */
  readonly loaders: Loaders;
  /** Read-your-writes of this operation. */
  readonly consistency: Consistency;
  /** W3C trace context of this operation, or of the change that is delivered. */
  readonly traceparent: string;
}

/** A backend for one kind of frontend: schema, resolvers and live fields. A gateway hosts any number of them. */
export interface Bff<Loaders = unknown> {
  /** Last part of its path: `/graphql/<name>`. */
  readonly name: string;
  /** Schema in SDL. */
  readonly typeDefs: string;
  /** Resolvers by type, as for `makeExecutableSchema` of `@graphql-tools/schema`. */
  readonly resolvers: Readonly<Record<string, unknown>>;
  /** Creates `context.loaders`, once per operation, when a resolver first reads it. Default: no loaders. */
  readonly createLoaders?: (services: Services, consistency: Consistency, viewer: Viewer) => Loaders;
  /** One live field for each field of the schema's subscription type, by name. */
  readonly liveFields: Readonly<Record<string, LiveField>>;
  /**
   * Documents by id (SHA-256 in hex). When set, the gateway executes no other documents, unless its configuration allows
   * them. Default: every document is executed.
   */
  readonly trustedDocuments?: ReadonlyMap<string, string>;
  /**
   * Costs of fields, by which too large operations are refused before they are executed. Default: from the schema alone.
   */
  readonly cost?: BffCost;
  /** True: a viewer's reads wait for the viewer's own last write, without a token from the client. Default false. */
  readonly readYourWrites?: boolean;
}

import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/core';
import type { Consistency } from './consistency.ts';
import type { LiveField } from './live-field.ts';
import type { Viewer } from './viewer.ts';

/** The services as one operation sees them: its deadline, its trace and its cancellation are already in. */
export interface Services {
  call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
  ): Promise<OutputOf<Definition>>;
}

/** What resolvers get. Made anew for each operation, and for each event of a subscription group. */
export interface BffContext<Loaders = unknown> {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly loaders: Loaders;
  readonly consistency: Consistency;
  /** W3C trace context of this operation or of the change being delivered. */
  readonly traceparent: string;
}

/** A backend for one kind of frontend: schema, resolvers, live fields. The gateway hosts any set of them. */
export interface Bff<Loaders = unknown> {
  /** The last part of its address: `/graphql/<name>`. */
  readonly name: string;
  /** SDL, every type and field described. */
  readonly typeDefs: string;
  readonly resolvers: Record<string, unknown>;
  /** Makes `context.loaders`, once per operation and only when a resolver reads it. Default: `loaders` is undefined. */
  readonly createLoaders?: (services: Services, consistency: Consistency) => Loaders;
  /** One for each field of `Subscription`, by name. */
  readonly liveFields: Readonly<Record<string, LiveField>>;
  /** Documents by their id (SHA-256, hex). When set, nothing else is executed unless the gateway is told to. */
  readonly trustedDocuments?: ReadonlyMap<string, string>;
  /** True: a viewer's own last write is awaited by their next reads without the client's doing. */
  readonly remembersWrites: boolean;
}

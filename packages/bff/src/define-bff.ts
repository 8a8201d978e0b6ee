import { Kind, OperationTypeNode, parse, type DocumentNode } from 'graphql';
import type { Bff } from './bff.ts';

/**
 * Declares a BFF: infers the type of its loaders and checks that its schema and its live fields fit together.
 *
 * @throws GraphQLError when `typeDefs` does not parse.
 * @throws Error when a field of the subscription type has no live field.
 *
 * @example
 * const counterBff = defineBff({
 *   name: 'counters',
 *   typeDefs: `
 *     type Query { counter(id: ID!): Counter }
 *     type Subscription { counter(id: ID!): Counter! }
 *     type Counter { id: ID! count: Int! }
 *   `,
 *   resolvers: {
 *     Query: {
 *       counter: (_root: unknown, { id }: { id: string }, { services }: BffContext) =>
 *         services.call(getCounter, { id }),
 *     },
 *   },
 *   liveFields: {
 *     counter: defineLiveField<{ id: string }, Counter, BffContext>({
 *       stream: counterStream,
 *       authorise: () => ({ id: 'public', viewer: anonymous, sees: () => true }),
 *       term: ({ id }) => `id:${id}`,
 *       overflow: 'latest-per-key',
 *     }),
 *   },
 * });
 */
export function defineBff<Loaders>(bff: Bff<Loaders>): Bff<Loaders> {
  assertLiveFields(bff);
  return bff;
}

/**
 * Checks that every field of the subscription type has a live field.
 *
 * @throws Error that names the fields without one.
 */
export function assertLiveFields({ name, typeDefs, liveFields }: Bff): void {
  const missing = subscriptionFields(parse(typeDefs)).filter((field) => !Object.hasOwn(liveFields, field));
  if (missing.length === 0) return;
  const fields = missing.map((field) => `Subscription.${field}`).join(', ');
  throw new Error(`BFF ${name} has no live field for ${fields}: add it to liveFields with defineLiveField`);
}

/** Names of the fields of the subscription type, extensions included. */
function subscriptionFields({ definitions }: DocumentNode): string[] {
  const type = subscriptionTypeName(definitions);
  return definitions.flatMap((definition) => {
    const isObjectType =
      definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;
    if (!isObjectType || definition.name.value !== type) return [];
    return (definition.fields ?? []).map((field) => field.name.value);
  });
}

/** Name of the subscription type: `Subscription` unless the SDL has a schema definition that names another. */
function subscriptionTypeName(definitions: DocumentNode['definitions']): string {
  const operationTypes = definitions.flatMap((definition) => {
    const isSchema = definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION;
    return isSchema ? (definition.operationTypes ?? []) : [];
  });
  const named = operationTypes.find(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION);
  return named?.type.name.value ?? 'Subscription';
}

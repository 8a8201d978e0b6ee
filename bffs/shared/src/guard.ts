import type { LiveField, Viewer } from '@tidegate/bff';
import { accessOf } from './access.ts';
import type { FieldRights } from './rights.ts';

type RightsOfBff = Readonly<Record<string, FieldRights>>;
type Resolver = (root: never, args: never, context: never, info: never) => unknown;

/**
 * Returns the resolvers of a root type, each of which first refuses viewers without a right in its field.
 *
 * @throws Error when a field has no rights.
 */
export function guardResolvers<Resolvers extends object>(
  rights: RightsOfBff,
  type: 'Query' | 'Mutation',
  resolvers: Resolvers,
): Resolvers {
  const guarded = Object.entries(resolvers as Record<string, Resolver>).map(([name, resolve]) => {
    const field = rightsOf(rights, `${type}.${name}`);
    const guard: Resolver = (root, args, context: { readonly viewer: Viewer }, info) => {
      accessOf(context.viewer, field);
      return resolve(root, args, context as never, info);
    };
    return [name, guard] as const;
  });
  return Object.fromEntries(guarded) as Resolvers;
}

/**
 * Returns the live fields, each of which first refuses viewers without a right in it.
 *
 * @throws Error when a field has no rights.
 */
export function guardLiveFields<Fields extends Readonly<Record<string, LiveField>>>(
  rights: RightsOfBff,
  fields: Fields,
): Fields {
  const guarded = Object.entries(fields).map(([name, field]) => {
    const ofField = rightsOf(rights, `Subscription.${name}`);
    const authorise: LiveField['authorise'] = (viewer, args) => {
      accessOf(viewer, ofField);
      return field.authorise(viewer, args);
    };
    return [name, { ...field, authorise }] as const;
  });
  return Object.fromEntries(guarded) as unknown as Fields;
}

function rightsOf(rights: RightsOfBff, field: string): FieldRights {
  const found = Object.hasOwn(rights, field) ? rights[field] : undefined;
  if (!found) throw new Error(`${field} has no rights: add it to rights.ts`);
  return found;
}

import type { GraphQLError } from 'graphql';

/** Errors as a client sees them: without `extensions.http`, which is between us and the HTTP layer. */
export function visibleErrors(errors: readonly GraphQLError[]): object[] {
  return errors.map((error) => {
    const { http: _http, ...extensions } = error.extensions;
    return { ...error.toJSON(), extensions };
  });
}

import { TidegateError } from '@tidegate/core';

/**
 * Returns the `Authorization` value in the payload of a `connection_init`; undefined without one. Clients send it as
 * `authorization` or `headers.authorization`, in any case.
 *
 * @throws TidegateError UNAUTHENTICATED for a value that is no text, several that differ, and `headers` that are no
 * object: a client that meant to sign in must not be taken for an anonymous one.
 */
export function authorizationIn(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const values = new Set<unknown>(valuesOf(params));
  for (const [name, headers] of Object.entries(params ?? {})) {
    if (name.toLowerCase() !== 'headers' || headers === null) continue;
    if (typeof headers !== 'object' || Array.isArray(headers))
      throw new TidegateError('UNAUTHENTICATED', 'The headers of connection_init have to be an object.');
    for (const value of valuesOf(headers)) values.add(value);
  }
  const [authorization, ...others] = values;
  if (values.size === 0) return undefined;
  if (typeof authorization === 'string' && others.length === 0) return authorization;
  throw new TidegateError('UNAUTHENTICATED', 'The authorization of connection_init has to be one text.');
}

function valuesOf(params: object | undefined): unknown[] {
  return Object.entries(params ?? {}).flatMap(([name, value]) =>
    name.toLowerCase() === 'authorization' ? [value] : [],
  );
}

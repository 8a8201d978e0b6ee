import { TidegateError } from './errors/tidegate-error.ts';

/**
 * A set of floor versions for read-your-writes: a read with this token returns no older version. Format:
 * `<kind>/<key>@<version>`, e.g. `counter/42@7`, several joined by `+`. Opaque to clients.
 */
export type ConsistencyToken = string;

/** Lowest version of one key that a read may return. */
export interface VersionFloor {
  /** Kind of the aggregate, e.g. `counter`. */
  readonly kind: string;
  readonly key: string;
  readonly version: number;
}

/** Maximum floor versions of a token, which bounds its size. */
const MAX_FLOORS = 64;
const FLOOR = /^([a-z][a-z-]{0,31})\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})@([1-9]\d{0,14})$/;

/** Encodes floor versions. `decodeConsistencyToken` is the inverse. */
export function encodeConsistencyToken(floors: readonly VersionFloor[]): ConsistencyToken {
  return floors.map(({ kind, key, version }) => `${kind}/${key}@${version}`).join('+');
}

/**
 * Decodes the floor versions of a token.
 *
 * @throws TidegateError BAD_USER_INPUT when the token is malformed or has more than 64 floor versions.
 */
export function decodeConsistencyToken(token: ConsistencyToken): VersionFloor[] {
  const parts = token.split('+');
  if (parts.length > MAX_FLOORS)
    throw new TidegateError('BAD_USER_INPUT', 'the consistency token names too much');
  return parts.map((part) => {
    const match = FLOOR.exec(part);
    if (!match) throw new TidegateError('BAD_USER_INPUT', 'the consistency token is malformed');
    return { kind: match[1]!, key: match[2]!, version: Number(match[3]) };
  });
}

/**
 * Merges tokens: keeps the highest floor version of each key. Beyond 64 keys, keeps the keys that come last.
 *
 * @throws TidegateError BAD_USER_INPUT when a token is malformed.
 */
export function mergeConsistencyTokens(...tokens: readonly ConsistencyToken[]): ConsistencyToken {
  const newest = new Map<string, VersionFloor>();
  for (const floor of tokens.filter(Boolean).flatMap(decodeConsistencyToken)) {
    const name = `${floor.kind}/${floor.key}`;
    const known = newest.get(name);
    newest.delete(name);
    newest.set(name, known && known.version > floor.version ? known : floor);
  }
  return encodeConsistencyToken([...newest.values()].slice(-MAX_FLOORS));
}

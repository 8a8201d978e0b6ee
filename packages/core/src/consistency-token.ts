import { TidegateError } from './errors/tidegate-error.ts';

/**
 * Names versions that a later read must not be older than: `order/42@7`, several joined by `+`.
 * Opaque to clients; only the platform reads it.
 */
export type ConsistencyToken = string;

export interface VersionFloor {
  /** The kind of aggregate, e.g. `order`. */
  readonly kind: string;
  readonly key: string;
  readonly version: number;
}

const MAX_FLOORS = 64;
const FLOOR = /^([a-z][a-z-]{0,31})\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})@([1-9]\d{0,14})$/;

export function encodeConsistencyToken(floors: readonly VersionFloor[]): ConsistencyToken {
  return floors.map(({ kind, key, version }) => `${kind}/${key}@${version}`).join('+');
}

/** @throws TidegateError BAD_USER_INPUT when it is not a token of ours. */
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

/** The token that demands what all of them demand; the newest version of each key wins, the latest keys are kept. */
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

import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  mergeConsistencyTokens,
  type ConsistencyToken,
  TidegateError,
} from '@tidegate/core';

/** Maximum time in milliseconds that a read waits for a view to reach its floor versions. */
const READ_WAIT_MS = 2_000;

/** Stores the consistency token of one viewer's recent writes, shared by all replicas of the gateway. */
export interface LastWriteStore {
  /** Resolves with the stored token, or undefined when there was no recent write. */
  read(): Promise<ConsistencyToken | undefined>;
  /** Merges a token into the stored one. */
  add(token: ConsistencyToken): Promise<void>;
}

/** Argument of a query that must not return versions below the token's floor versions. */
export interface Freshness {
  readonly token: ConsistencyToken;
  /** Maximum time to wait for the view, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Read-your-writes for one operation. Collects the floor versions that its reads must reach, from the operation's
 * arguments and from the viewer's recent writes, and records whether the views reached them.
 */
export class Consistency {
  readonly #lastWrites: LastWriteStore | undefined;
  #token: ConsistencyToken = '';
  #lastWritesRead: Promise<void> | undefined;
  #strict = false;
  #satisfied = true;

  /** Without `lastWrites` only the tokens passed to `require` count. */
  constructor(lastWrites?: LastWriteStore) {
    this.#lastWrites = lastWrites;
  }

  /** False once a read returned a version below its floor version. */
  get satisfied(): boolean {
    return this.#satisfied;
  }

  /**
   * Adds the floor versions of a token. With `strict`, a read that does not reach them fails instead of returning an
   * older version. Default false.
   *
   * @param token an argument as the client sent it: a scalar of a schema without a parser may be any JSON value.
   * @throws TidegateError BAD_USER_INPUT when the token is malformed, which an empty one is.
   */
  require(token: unknown, strict = false): void {
    if (token != null) {
      if (typeof token !== 'string' || token === '')
        throw new TidegateError('BAD_USER_INPUT', 'A consistency token is a text that is not empty.');
      this.#token = mergeConsistencyTokens(this.#token, token);
    }
    if (strict) this.#strict = true;
  }

  /**
   * Returns the freshness that a read must pass to its query: the floor versions of these keys, or of all keys of the
   * kind when `keys` is absent. Undefined when there are none.
   */
  async freshness(kind: string, keys?: readonly string[]): Promise<Freshness | undefined> {
    this.#lastWritesRead ??= this.#readLastWrites();
    await this.#lastWritesRead;
    if (this.#token === '') return undefined;
    const floors = decodeConsistencyToken(this.#token).filter(
      (floor) => floor.kind === kind && (!keys || keys.includes(floor.key)),
    );
    return floors.length === 0 ? undefined : { token: encodeConsistencyToken(floors), waitMs: READ_WAIT_MS };
  }

  /**
   * Records whether a read reached its floor versions.
   *
   * @throws TidegateError STALE_READ when it did not and the operation is strict.
   */
  recordRead(satisfied: boolean): void {
    if (satisfied) return;
    this.#satisfied = false;
    if (this.#strict) {
      throw new TidegateError(
        'STALE_READ',
        'The view did not reach the demanded version in time; try again.',
      );
    }
  }

  /**
   * Records the token of a committed command: this operation's later reads, and the viewer's next operations, must
   * reach it. Never rejects because of the store: the command has succeeded, only its freshness is lost.
   */
  async recordWrite(token: ConsistencyToken): Promise<void> {
    this.require(token);
    await this.#lastWrites?.add(token).catch(() => undefined);
  }

  async #readLastWrites(): Promise<void> {
    const token = await this.#lastWrites?.read().catch(() => undefined);
    if (token) this.require(token);
  }
}

import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  mergeConsistencyTokens,
  type ConsistencyToken,
  TidegateError,
} from '@tidegate/core';

/** How long a read waits for the view to catch up. */
const DEFAULT_WAIT_MS = 2_000;

/** Where the gateway keeps each viewer's last write, so that all its replicas know it. */
export interface WriteMemory {
  recall(): Promise<ConsistencyToken | undefined>;
  remember(token: ConsistencyToken): Promise<void>;
}

/**
 * "Not older than": collects what this operation's reads must contain, from its arguments and from the viewer's
 * own last write, and notes whether the views could keep it.
 */
export class Consistency {
  #tokens: ConsistencyToken = '';
  #recalled: Promise<void> | undefined;
  #strict = false;
  readonly #memory: WriteMemory | undefined;
  /** False once a read came back older than demanded. */
  satisfied = true;

  constructor(memory?: WriteMemory) {
    this.#memory = memory;
  }

  /** @throws TidegateError BAD_USER_INPUT when the token is not one of ours. */
  demand(token: ConsistencyToken | null | undefined, strict = false): void {
    if (token) this.#tokens = mergeConsistencyTokens(this.#tokens, token);
    if (strict) this.#strict = true;
  }

  /** What a read of these keys (all keys when absent) has to wait for; undefined when nothing. */
  async freshness(
    kind: string,
    keys?: readonly string[],
  ): Promise<{ token: string; waitMs: number } | undefined> {
    this.#recalled ??= this.#recall();
    await this.#recalled;
    if (this.#tokens === '') return undefined;
    const floors = decodeConsistencyToken(this.#tokens).filter(
      (floor) => floor.kind === kind && (!keys || keys.includes(floor.key)),
    );
    return floors.length === 0
      ? undefined
      : { token: encodeConsistencyToken(floors), waitMs: DEFAULT_WAIT_MS };
  }

  /** @throws TidegateError STALE_READ when the operation asked for a strict answer and this was not one. */
  note(satisfied: boolean): void {
    if (satisfied) return;
    this.satisfied = false;
    if (this.#strict) {
      throw new TidegateError(
        'STALE_READ',
        'The view did not reach the demanded version in time; try again.',
      );
    }
  }

  /** Called with what a command changed. Failing to remember costs freshness, not the command. */
  async wrote(token: ConsistencyToken): Promise<void> {
    this.demand(token);
    await this.#memory?.remember(token).catch(() => undefined);
  }

  async #recall(): Promise<void> {
    const token = await this.#memory?.recall().catch(() => undefined);
    if (token) this.demand(token);
  }
}

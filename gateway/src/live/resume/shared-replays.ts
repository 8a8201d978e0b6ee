import type { SharedReplay } from './shared-replay.ts';

/** Maximum cached replays of a group, one per cursor. */
const MAX_REPLAYS = 16;
/** Time to live: after a mass disconnect, clients reconnect within seconds. */
const TTL_MS = 30_000;

/** Cache of a group's replays, by cursor. */
export class SharedReplays {
  readonly #byCursor = new Map<string, SharedReplay>();

  /** Returns the cached replay after this cursor, or creates one and caches it for 30 seconds. */
  after(cursor: string, create: () => SharedReplay): SharedReplay {
    const known = this.#byCursor.get(cursor);
    if (known) return known;
    const created = create();
    this.#byCursor.set(cursor, created);
    if (this.#byCursor.size > MAX_REPLAYS) this.#evict(this.#byCursor.keys().next().value!);
    setTimeout(() => {
      if (this.#byCursor.get(cursor) === created) this.#evict(cursor);
    }, TTL_MS).unref();
    return created;
  }

  clear(): void {
    for (const cursor of [...this.#byCursor.keys()]) this.#evict(cursor);
  }

  #evict(cursor: string): void {
    this.#byCursor.get(cursor)?.retire();
    this.#byCursor.delete(cursor);
  }
}

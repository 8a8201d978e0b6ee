/** How a change joins the one of its key that was seen before it. */
export type Continuity =
  /** None was seen before it: whether one is missing is for those to say who know what they have. */
  | 'first'
  /** It has the next version. */
  | 'next'
  /** Versions between are missing. */
  | 'gap';

/**
 * Drops records that the relay published twice (it died between publish and mark): a version of a key that is not
 * newer than one already seen. Remembers the newest keys only, which suffices because a repeat follows its original
 * within a relay's restart.
 */
export class VersionFilter {
  readonly #maxKeys: number;
  readonly #versions = new Map<string, number>();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** 'repeat' is not to be delivered, all else is. */
  admit(key: string, version: number): Continuity | 'repeat' {
    const known = this.#versions.get(key);
    if (known !== undefined && version <= known) return 'repeat';
    this.#versions.delete(key);
    this.#versions.set(key, version);
    if (this.#versions.size > this.#maxKeys) this.#versions.delete(this.#versions.keys().next().value!);
    if (known === undefined) return 'first';
    return version > known + 1 ? 'gap' : 'next';
  }

  /** The newest version of a key; undefined when it is not remembered. */
  newest(key: string): number | undefined {
    return this.#versions.get(key);
  }
}

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

  /** 'new' is to be delivered; 'repeat' is not; 'gap' is to be delivered, and something before it is missing. */
  admit(key: string, version: number): 'new' | 'repeat' | 'gap' {
    const known = this.#versions.get(key);
    if (known !== undefined && version <= known) return 'repeat';
    this.#versions.delete(key);
    this.#versions.set(key, version);
    if (this.#versions.size > this.#maxKeys) this.#versions.delete(this.#versions.keys().next().value!);
    return known !== undefined && version > known + 1 ? 'gap' : 'new';
  }
}

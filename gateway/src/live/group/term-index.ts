/** Finds entries by index term. The cost of a lookup grows with the matches, not with the number of entries. */
export class TermIndex<Entry> {
  readonly #byTerm = new Map<string, Set<Entry>>();

  add(term: string, entry: Entry): void {
    const entries = this.#byTerm.get(term);
    if (entries) entries.add(entry);
    else this.#byTerm.set(term, new Set([entry]));
  }

  delete(term: string, entry: Entry): void {
    const entries = this.#byTerm.get(term);
    if (!entries?.delete(entry)) return;
    if (entries.size === 0) this.#byTerm.delete(term);
  }

  *find(terms: readonly string[]): Generator<Entry> {
    for (const term of terms) {
      const entries = this.#byTerm.get(term);
      if (entries) yield* entries;
    }
  }
}

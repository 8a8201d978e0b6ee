/** Finds the groups that a change concerns by its index terms: the cost is what matches, not what is connected. */
export class TermIndex<Member> {
  readonly #byTerm = new Map<string, Set<Member>>();

  add(term: string, member: Member): void {
    const members = this.#byTerm.get(term);
    if (members) members.add(member);
    else this.#byTerm.set(term, new Set([member]));
  }

  delete(term: string, member: Member): void {
    const members = this.#byTerm.get(term);
    if (!members?.delete(member)) return;
    if (members.size === 0) this.#byTerm.delete(term);
  }

  *find(terms: readonly string[]): Generator<Member> {
    for (const term of terms) {
      const members = this.#byTerm.get(term);
      if (members) yield* members;
    }
  }

  get terms(): number {
    return this.#byTerm.size;
  }
}

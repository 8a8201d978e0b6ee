/** A line of product code that speaks of the order platform. */
export interface DomainWord {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly word: string;
}

/**
 * Words of the order platform. "order" alone is not one of them: it also means a sequence. `Order` at the start of an
 * identifier, `orders` and `orderId` are.
 */
const WORDS =
  /\b(customers?|shipments?|payments?|inventory|warehouses?|invoices?|orders|order-view|catalog-view|Order[A-Z]\w*|order(?:Id|s|View|Document|Stream)\w*)\b|\w*(?:Order(?:Id|Document|View|Placed)|[cC]ustomer(?:Id|Scope))\w*/g;

/** Returns each use of a word of the order platform in a source file, comments and texts included. */
export function domainWords(path: string, source: string): DomainWord[] {
  return source
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(WORDS)].map((match) => ({ path, line: index + 1, word: match[0] })),
    );
}

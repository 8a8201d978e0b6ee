import { describe, expect, it } from 'vitest';
import { domainWords } from './domain-words.ts';

describe('the words of the order platform', () => {
  it.each(['orderId', 'OrderPlaced', 'a customer', 'customerScope', 'createOrderView', 'orders'])(
    'are found in "%s"',
    (text) => expect(domainWords('a.ts', text)).toHaveLength(1),
  );

  it.each(['in order', 'one order per key', 'ordering', 'border', 'in their order'])(
    'are not found in "%s"',
    (text) => expect(domainWords('a.ts', text)).toEqual([]),
  );
});

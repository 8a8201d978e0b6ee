import { createMessage } from '@tidegate/core';
import { productDocument, ProductListed, StockLevelChanged } from '@order-platform/contracts';
import { describe, expect, it } from 'vitest';
import { evolve } from './evolve.ts';
import type { ConsumedMessage } from './messages.ts';

const attributes = (sequence: number) => ({
  id: `inventory/tea@${sequence}`,
  key: 'tea',
  sequence,
  timeMs: 1_700_000_000_000 + sequence,
});

const listed = {
  ...createMessage(ProductListed, {
    ...attributes(1),
    data: {
      productId: 'tea',
      name: 'Green tea',
      description: 'A tin.',
      category: 'Kitchen',
      priceCents: 890,
      image: '🍵',
      available: 10,
    },
  }),
  name: 'ProductListed',
} as ConsumedMessage;

const level = (sequence: number, available: number, reserved: number) =>
  ({
    ...createMessage(StockLevelChanged, {
      ...attributes(sequence),
      data: { productId: 'tea', available, reserved },
    }),
    name: 'StockLevelChanged',
  }) as ConsumedMessage;

describe('the document of a product', () => {
  it('starts with the listing', () => {
    const document = evolve(undefined, listed);
    expect(productDocument.parse(document)).toEqual(document);
    expect(document).toMatchObject({ productId: 'tea', version: 1, available: 10, reserved: 0 });
  });

  it('follows the stock', () => {
    const document = [listed, level(2, 8, 2), level(3, 9, 1)].reduce(evolve, undefined);
    expect(document).toMatchObject({
      version: 3,
      versionVector: { inventory: 3 },
      name: 'Green tea',
      available: 9,
      reserved: 1,
    });
  });

  it('ignores a repeated message', () => {
    const document = [listed, level(2, 8, 2)].reduce(evolve, undefined);
    expect(evolve(document, listed)).toBe(document);
    expect(evolve(document, level(2, 0, 0))).toBe(document);
  });

  it('is undefined after a stock level without a listing', () => {
    expect(evolve(undefined, level(7, 1, 0))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { decideReservation, quantitiesByProduct, type ProductStock } from './decide.ts';

const line = (productId: string, quantity: number) => ({ productId, quantity, unitPriceCents: 100 });

function given(products: Record<string, ProductStock>) {
  return {
    when: (...lines: ReturnType<typeof line>[]) =>
      decideReservation(quantitiesByProduct(lines), new Map(Object.entries(products))),
  };
}

const tea: ProductStock = { name: 'Green tea', available: 3 };
const pot: ProductStock = { name: 'Teapot', available: 1 };

describe('reserving stock for an order', () => {
  it('reserves every line when all products are available', () => {
    expect(given({ tea, pot }).when(line('tea', 3), line('pot', 1))).toEqual({ status: 'reserved' });
  });

  it('rejects the whole order when one product is short, and names it', () => {
    expect(given({ tea, pot }).when(line('tea', 1), line('pot', 2))).toEqual({
      status: 'rejected',
      reason: { code: 'OUT_OF_STOCK', message: 'Teapot is out of stock: Only 1 left, 2 wanted.' },
    });
  });

  it('adds up lines that name the same product', () => {
    expect(given({ tea }).when(line('tea', 2), line('tea', 2))).toMatchObject({
      reason: { code: 'OUT_OF_STOCK' },
    });
  });

  it('rejects an unknown product', () => {
    expect(given({ tea }).when(line('rum', 1))).toEqual({
      status: 'rejected',
      reason: { code: 'UNKNOWN_PRODUCT', message: 'There is no product rum.' },
    });
  });

  it('sorts products by id, so that concurrent orders lock them in the same order', () => {
    expect([...quantitiesByProduct([line('b', 1), line('a', 2), line('b', 3)])]).toEqual([
      ['a', 2],
      ['b', 4],
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addsUp, openingStock, release, reserve, restock, sell, type StockLevel } from './evolve.ts';

describe('the stock level', () => {
  it('moves a quantity from available to reserved and from there to sold or back', () => {
    const held = reserve(openingStock(10), 4);
    expect(held).toEqual({ received: 10, available: 6, reserved: 4, sold: 0 });
    expect(sell(held, 4)).toEqual({ received: 10, available: 6, reserved: 0, sold: 4 });
    expect(release(held, 4)).toEqual(openingStock(10));
  });

  it('is refilled when it falls below the threshold, and not before', () => {
    const rule = { belowQuantity: 5, toQuantity: 20 };
    expect(restock(openingStock(5), rule)).toEqual(openingStock(5));
    expect(restock(openingStock(4), rule)).toEqual(openingStock(20));
    expect(restock(openingStock(0), undefined)).toEqual(openingStock(0));
  });

  it('adds up after any sequence of steps', () => {
    const quantity = fc.integer({ min: 1, max: 30 });
    const step = fc.tuple(fc.constantFrom('reserve', 'release', 'sell', 'restock'), quantity);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.array(step), (opening, steps) => {
        expect(steps.reduce(apply, openingStock(opening))).toSatisfy(addsUp);
      }),
    );
  });
});

/** Limits quantities as the service does: to available pieces when reserving, else to reserved pieces. */
function apply(level: StockLevel, [step, quantity]: [string, number]): StockLevel {
  if (step === 'restock') return restock(level, { belowQuantity: quantity, toQuantity: 2 * quantity });
  if (step === 'reserve') return reserve(level, Math.min(quantity, level.available));
  const held = Math.min(quantity, level.reserved);
  return step === 'sell' ? sell(level, held) : release(level, held);
}

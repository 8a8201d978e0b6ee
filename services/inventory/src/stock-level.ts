/**
 * The stock of one product. `received = available + reserved + sold`, always: what came in is on the shelf,
 * held for an order, or gone.
 */
export interface StockLevel {
  readonly received: number;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** Fills the shelf up to `toQuantity` as soon as less than `belowQuantity` is available. */
export interface RestockRule {
  readonly belowQuantity: number;
  readonly toQuantity: number;
}

export function openingStock(quantity: number): StockLevel {
  return { received: quantity, available: quantity, reserved: 0, sold: 0 };
}

/** Holds for an order; the caller has checked that so much is available. */
export function reserve(level: StockLevel, quantity: number): StockLevel {
  return { ...level, available: level.available - quantity, reserved: level.reserved + quantity };
}

/** Gives back what was held. */
export function release(level: StockLevel, quantity: number): StockLevel {
  return reserve(level, -quantity);
}

/** What was held has left the house. */
export function sell(level: StockLevel, quantity: number): StockLevel {
  return { ...level, reserved: level.reserved - quantity, sold: level.sold + quantity };
}

export function restock(level: StockLevel, rule: RestockRule | undefined): StockLevel {
  if (!rule || level.available >= rule.belowQuantity) return level;
  const arriving = Math.max(0, rule.toQuantity - level.available);
  return { ...level, received: level.received + arriving, available: level.available + arriving };
}

export function addsUp({ received, available, reserved, sold }: StockLevel): boolean {
  return received === available + reserved + sold && Math.min(available, reserved, sold) >= 0;
}

/**
 * Stock of one product. Invariant: `received = available + reserved + sold`. Each received piece is on the shelf,
 * reserved for an order, or sold.
 */
export interface StockLevel {
  readonly received: number;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** Refills a product to `toQuantity` as soon as fewer than `belowQuantity` are available. */
export interface RestockRule {
  readonly belowQuantity: number;
  readonly toQuantity: number;
}

export function openingStock(quantity: number): StockLevel {
  return { received: quantity, available: quantity, reserved: 0, sold: 0 };
}

/** Moves available pieces to reserved. The caller has checked that enough are available. */
export function reserve(level: StockLevel, quantity: number): StockLevel {
  return { ...level, available: level.available - quantity, reserved: level.reserved + quantity };
}

/** Moves reserved pieces back to available. */
export function release(level: StockLevel, quantity: number): StockLevel {
  return reserve(level, -quantity);
}

/** Moves reserved pieces to sold. */
export function sell(level: StockLevel, quantity: number): StockLevel {
  return { ...level, reserved: level.reserved - quantity, sold: level.sold + quantity };
}

/** Returns the level after the rule was applied: the same object when the rule does not apply. */
export function restock(level: StockLevel, rule: RestockRule | undefined): StockLevel {
  if (!rule || level.available >= rule.belowQuantity) return level;
  const arriving = Math.max(0, rule.toQuantity - level.available);
  return { ...level, received: level.received + arriving, available: level.available + arriving };
}

/** Checks the invariant of `StockLevel`. */
export function addsUp({ received, available, reserved, sold }: StockLevel): boolean {
  return received === available + reserved + sold && Math.min(available, reserved, sold) >= 0;
}

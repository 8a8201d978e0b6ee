import type { OrderLine, Rejection } from '@order-platform/contracts';

/** The part of a product that a decision needs. */
export interface ProductStock {
  readonly name: string;
  readonly available: number;
}

export type ReservationDecision =
  | { readonly status: 'reserved' }
  | { readonly status: 'rejected'; readonly reason: Rejection };

/** Returns an order's total quantity of each product, sorted by product id. Several lines may name one product. */
export function quantitiesByProduct(lines: readonly OrderLine[]): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return new Map([...quantities].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Reserves all lines or none: an order is rejected for the first product that is unknown or short. Pure. */
export function decideReservation(
  wanted: ReadonlyMap<string, number>,
  products: ReadonlyMap<string, ProductStock>,
): ReservationDecision {
  for (const [productId, quantity] of wanted) {
    const product = products.get(productId);
    if (!product) return rejected('UNKNOWN_PRODUCT', `There is no product ${productId}.`);
    if (product.available < quantity) {
      const left = product.available === 0 ? 'None is left' : `Only ${product.available} left`;
      return rejected('OUT_OF_STOCK', `${product.name} is out of stock: ${left}, ${quantity} wanted.`);
    }
  }
  return { status: 'reserved' };
}

function rejected(code: string, message: string): ReservationDecision {
  return { status: 'rejected', reason: { code, message } };
}

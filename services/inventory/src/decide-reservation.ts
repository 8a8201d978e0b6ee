import type { OrderLine, Rejection } from '@order-platform/contracts';

/** What the decision needs to know of a product. */
export interface Shelf {
  readonly name: string;
  readonly available: number;
}

export type ReservationDecision =
  | { readonly status: 'reserved' }
  | { readonly status: 'rejected'; readonly reason: Rejection };

/** How much an order wants of each product, by product id in order; several lines may name the same one. */
export function quantitiesByProduct(lines: readonly OrderLine[]): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return new Map([...quantities].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** All or nothing: an order is held completely or rejected for the first product that cannot be had. */
export function decideReservation(
  wanted: ReadonlyMap<string, number>,
  shelves: ReadonlyMap<string, Shelf>,
): ReservationDecision {
  for (const [productId, quantity] of wanted) {
    const shelf = shelves.get(productId);
    if (!shelf) return rejected('UNKNOWN_PRODUCT', `There is no product ${productId}.`);
    if (shelf.available < quantity) {
      const left = shelf.available === 0 ? 'None is left' : `Only ${shelf.available} left`;
      return rejected('OUT_OF_STOCK', `${shelf.name} is out of stock: ${left}, ${quantity} wanted.`);
    }
  }
  return { status: 'reserved' };
}

function rejected(code: string, message: string): ReservationDecision {
  return { status: 'rejected', reason: { code, message } };
}

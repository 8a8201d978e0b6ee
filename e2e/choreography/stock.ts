import type { Platform } from './platform.ts';

export interface Stock {
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** Returns the stock of each product. @throws Error when it does not add up or differs from the reservations. */
export async function checkedStock({ inventory }: Platform): Promise<Record<string, Stock>> {
  const held = { reserved: new Map<string, number>(), sold: new Map<string, number>() };
  for (const { status, quantities } of await inventory.query
    .selectFrom('reservations')
    .selectAll()
    .execute()) {
    if (status !== 'reserved' && status !== 'sold') continue;
    for (const [productId, quantity] of JSON.parse(quantities) as [string, number][]) {
      held[status].set(productId, (held[status].get(productId) ?? 0) + quantity);
    }
  }
  const rows = await inventory.query.selectFrom('products').selectAll().execute();
  for (const { product_id: productId, received, available, reserved, sold } of rows) {
    const expected = {
      productId,
      received,
      reserved: held.reserved.get(productId) ?? 0,
      sold: held.sold.get(productId) ?? 0,
    };
    const found = { productId, received: available + reserved + sold, reserved, sold };
    if (JSON.stringify(found) !== JSON.stringify(expected) || available < 0) {
      throw new Error(`stock does not add up: ${JSON.stringify({ available, found, expected })}`);
    }
  }
  return Object.fromEntries(
    rows.map(({ product_id: productId, available, reserved, sold }) => [
      productId,
      { available, reserved, sold },
    ]),
  );
}

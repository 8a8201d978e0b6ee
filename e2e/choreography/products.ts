import type { NewProduct } from '@order-platform/service-inventory';

export const products: readonly NewProduct[] = [
  product('tea', 450, 1000),
  product('pot', 2900, 5),
  // One piece costs an amount that the provider always declines.
  product('cursed', 1013, 1000),
];

export function line(productId: string, quantity = 1) {
  const unitPriceCents = products.find((each) => each.productId === productId)?.priceCents ?? 100;
  return { productId, quantity, unitPriceCents };
}

function product(productId: string, priceCents: number, stock: number): NewProduct {
  const texts = { name: productId, description: `The ${productId}.`, category: 'Kitchen', image: '🫖' };
  return { productId, ...texts, priceCents, stock };
}

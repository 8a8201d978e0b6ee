import { productEvents, type ProductDocument } from '@order-platform/contracts';
import { type Message } from '@tidegate/core';

export const joinedEvents = productEvents;
export type ProductMessage = Message<(typeof productEvents)[number]>;

/**
 * The pure step from one document to the next. A message that the version vector already covers gives the same
 * document back: nothing to store or publish. Both events are of one stream, so a level without a listing is
 * a product that was listed before this topic's retention; there is nothing to show of it.
 */
export function evolveProduct(
  document: ProductDocument | undefined,
  message: ProductMessage,
): ProductDocument | undefined {
  if (message.sequence <= (document?.versionVector.inventory ?? 0)) return document;
  const next = {
    version: (document?.version ?? 0) + 1,
    versionVector: { inventory: message.sequence },
    updatedAt: message.time,
  };
  if (message.name === 'StockLevelChanged') {
    const { available, reserved } = message.data;
    return document && { ...document, ...next, available, reserved };
  }
  const { productId, name, description, category, priceCents, image, available } = message.data;
  const price = { amountCents: priceCents, currency: 'EUR' as const };
  const reserved = document?.reserved ?? 0;
  return { productId, ...next, name, description, category, price, image, available, reserved };
}

import type { ProductDocument } from '@order-platform/contracts';
import type { ConsumedMessage } from './messages.ts';

/**
 * Returns the document after the message. Pure. A message that the version vector already contains returns the same
 * object: there is nothing to store or publish. Both events share one stream, so a level without a listing means that
 * the listing is older than the topic's retention; such a product has no document.
 */
export function evolve(
  document: ProductDocument | undefined,
  message: ConsumedMessage,
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

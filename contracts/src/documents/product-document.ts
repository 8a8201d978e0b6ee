import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { id, isoTime, money } from '../values.ts';

/** The whole view of one product with its stock, as queries return it and live fields stream it. */
export const productDocument = z.object({
  productId: id,
  version: z.int().min(1),
  versionVector: z.object({ inventory: z.int().min(0) }),
  name: z.string(),
  description: z.string(),
  category: z.string(),
  price: money,
  image: z.string(),
  available: z.int().min(0),
  reserved: z.int().min(0),
  updatedAt: isoTime,
});
export type ProductDocument = z.infer<typeof productDocument>;

export const ProductDocumentChanged = defineMessage('ProductDocumentChanged', {
  owner: 'catalog-view',
  version: 1,
  topic: topics.productDocuments,
  key: 'product id',
  schema: productDocument,
});

import { z } from 'zod';
import { productDocument } from '../documents/product-document.ts';
import { id } from '../values.ts';
import { defineOperation } from '@tidegate/core';

/** Products by id, in the order asked; null where there is none. */
export const getProducts = defineOperation({
  service: 'catalog-view',
  kind: 'queries',
  name: 'get-products',
  input: z.object({ ids: z.array(id).min(1).max(500) }),
  output: z.object({ products: z.array(productDocument.nullable()) }),
});

/** By name; `after` is the `(name, productId)` of the last one of the page before. */
export const listProducts = defineOperation({
  service: 'catalog-view',
  kind: 'queries',
  name: 'list-products',
  input: z.object({
    category: z.string().optional(),
    first: z.int().min(1).max(100),
    after: z.object({ name: z.string(), productId: id }).optional(),
  }),
  output: z.object({ products: z.array(productDocument), hasNextPage: z.boolean(), totalCount: z.int() }),
});

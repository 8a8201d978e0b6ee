import { z } from 'zod';
import { productDocument } from '../documents/product-document.ts';
import { filterText, id } from '../values.ts';
import { defineOperation } from '@tidegate/core';

/** Products in the order of the ids, null for unknown ones. */
export const getProducts = defineOperation({
  service: 'catalog-view',
  kind: 'queries',
  name: 'get-products',
  input: z.object({ ids: z.array(id).min(1).max(500) }),
  output: z.object({ products: z.array(productDocument.nullable()) }),
});

/** A page of products, sorted by name. `after` is the `(name, productId)` of the previous page's last product. */
export const listProducts = defineOperation({
  service: 'catalog-view',
  kind: 'queries',
  name: 'list-products',
  input: z.object({
    category: filterText.optional(),
    first: z.int().min(1).max(100),
    after: z.object({ name: filterText, productId: id }).optional(),
  }),
  output: z.object({ products: z.array(productDocument), hasNextPage: z.boolean(), totalCount: z.int() }),
});

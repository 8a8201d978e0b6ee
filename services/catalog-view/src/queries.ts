import type { getProducts, listProducts, ProductDocument } from '@order-platform/contracts';
import type { InputOf, OutputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import type { CatalogViewTables } from './tables.ts';

export interface ProductQueries {
  byIds(ids: readonly string[]): Promise<OutputOf<typeof getProducts>>;
  list(input: InputOf<typeof listProducts>): Promise<OutputOf<typeof listProducts>>;
}

export function createProductQueries(database: Database<CatalogViewTables>): ProductQueries {
  const { query } = database;

  async function byIds(ids: readonly string[]): Promise<OutputOf<typeof getProducts>> {
    const rows = await query
      .selectFrom('product_documents')
      .select(['product_id', 'document'])
      .where('product_id', 'in', [...new Set(ids)])
      .execute();
    const byId = new Map(rows.map((row) => [row.product_id, parse(row.document)]));
    return { products: ids.map((id) => byId.get(id) ?? null) };
  }

  async function list({ category, first, after }: InputOf<typeof listProducts>) {
    const page = inCategory(category)
      .select('document')
      .$if(after !== undefined, (products) =>
        products.where(
          sql<boolean>`(${sql.ref('name')}, ${sql.ref('product_id')}) > (${after!.name}, ${after!.productId})`,
        ),
      )
      .orderBy('name')
      .orderBy('product_id')
      .limit(first + 1);
    const count = inCategory(category).select(({ fn }) => fn.countAll<number>().as('total'));
    const [rows, total] = await Promise.all([page.execute(), count.executeTakeFirstOrThrow()]);
    return {
      products: rows.slice(0, first).map((row) => parse(row.document)),
      hasNextPage: rows.length > first,
      totalCount: total.total,
    };
  }

  function inCategory(category: string | undefined) {
    return query
      .selectFrom('product_documents')
      .$if(category !== undefined, (products) => products.where('category', '=', category!));
  }

  return { byIds, list };
}

/** Only this service writes the column, and it checked the document when it did. */
function parse(document: string): ProductDocument {
  return JSON.parse(document) as ProductDocument;
}

import type { getProducts, listProducts, ProductDocument } from '@order-platform/contracts';
import type { InputOf, OutputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import type { CatalogViewTables } from './tables.ts';

/** Reads of the view's table. */
export class ProductQueries {
  readonly #query: Database<CatalogViewTables>['query'];

  constructor({ query }: Database<CatalogViewTables>) {
    this.#query = query;
  }

  /** Returns the products in the order of the ids, null for unknown ones. One statement. */
  async byIds(ids: readonly string[]): Promise<OutputOf<typeof getProducts>['products']> {
    const rows = await this.#query
      .selectFrom('product_documents')
      .select(['product_id', 'document'])
      .where('product_id', 'in', [...new Set(ids)])
      .execute();
    const byId = new Map(rows.map((row) => [row.product_id, parse(row.document)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Returns a page, sorted by name, and the total count. Two statements. */
  async list({
    category,
    first,
    after,
  }: InputOf<typeof listProducts>): Promise<OutputOf<typeof listProducts>> {
    const page = this.#inCategory(category)
      .select('document')
      .$if(after !== undefined, (products) =>
        products.where(
          sql<boolean>`(${sql.ref('name')}, ${sql.ref('product_id')}) > (${after!.name}, ${after!.productId})`,
        ),
      )
      .orderBy('name')
      .orderBy('product_id')
      .limit(first + 1);
    const count = this.#inCategory(category).select(({ fn }) => fn.countAll<number>().as('total'));
    const [rows, total] = await Promise.all([page.execute(), count.executeTakeFirstOrThrow()]);
    return {
      products: rows.slice(0, first).map((row) => parse(row.document)),
      hasNextPage: rows.length > first,
      totalCount: total.total,
    };
  }

  #inCategory(category: string | undefined) {
    return this.#query
      .selectFrom('product_documents')
      .$if(category !== undefined, (products) => products.where('category', '=', category!));
  }
}

/** The column needs no validation: only this service writes it. */
function parse(document: string): ProductDocument {
  return JSON.parse(document) as ProductDocument;
}

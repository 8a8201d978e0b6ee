import type { getOrders, listOrders, OrderDocument } from '@order-platform/contracts';
import type { InputOf, OutputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import type { OrderViewTables } from './tables.ts';

type Filter = Pick<InputOf<typeof listOrders>, 'customerId' | 'statuses'>;

/** Reads of the view's table. */
export class OrderQueries {
  readonly #query: Database<OrderViewTables>['query'];

  constructor({ query }: Database<OrderViewTables>) {
    this.#query = query;
  }

  /** Returns the orders in the order of the ids, null for unknown ones. One statement. */
  async byIds(ids: readonly string[]): Promise<OutputOf<typeof getOrders>['orders']> {
    const rows = await this.#query
      .selectFrom('order_documents')
      .select(['order_id', 'document'])
      .where('order_id', 'in', [...new Set(ids)])
      .where('placed_at', 'is not', null)
      .execute();
    const byId = new Map(rows.map((row) => [row.order_id, parse(row.document)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Returns a page, newest first, and the total count. Two statements. */
  async list({
    first,
    after,
    ...filter
  }: Omit<InputOf<typeof listOrders>, 'freshness'>): Promise<Omit<OutputOf<typeof listOrders>, 'satisfied'>> {
    const page = this.#filtered(filter)
      .select('document')
      .$if(after !== undefined, (orders) =>
        orders.where(
          sql<boolean>`(${sql.ref('placed_at')}, ${sql.ref('order_id')}) < (${after!.placedAt}, ${after!.orderId})`,
        ),
      )
      .orderBy('placed_at', 'desc')
      .orderBy('order_id', 'desc')
      .limit(first + 1);
    const count = this.#filtered(filter).select(({ fn }) => fn.countAll<number>().as('total'));
    const [rows, total] = await Promise.all([page.execute(), count.executeTakeFirstOrThrow()]);
    return {
      orders: rows.slice(0, first).map((row) => parse(row.document)),
      hasNextPage: rows.length > first,
      totalCount: total.total,
    };
  }

  /** Returns the version of the orders stream in each document. Orders without a row are absent. */
  async versions(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#query
      .selectFrom('order_documents')
      .select(['order_id', 'orders_version'])
      .where('order_id', 'in', ids)
      .execute();
    return new Map(rows.map((row) => [row.order_id, row.orders_version]));
  }

  /** An empty list of statuses matches every status, as does an absent one. */
  #filtered({ customerId, statuses = [] }: Filter) {
    return this.#query
      .selectFrom('order_documents')
      .where('placed_at', 'is not', null)
      .$if(customerId !== undefined, (orders) => orders.where('customer_id', '=', customerId!))
      .$if(statuses.length > 0, (orders) => orders.where('status', 'in', statuses));
  }
}

/** The column needs no validation: only this service writes it. */
function parse(document: string | null): OrderDocument {
  return JSON.parse(document!) as OrderDocument;
}

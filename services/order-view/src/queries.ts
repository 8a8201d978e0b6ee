import type { Access, getOrders, listOrders, OrderDocument } from '@order-platform/contracts';
import type { InputOf, OutputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import type { OrderViewTables } from './tables.ts';

type Filter = Pick<InputOf<typeof listOrders>, 'access' | 'statuses'>;

/** Version of an order and its customer; the customer is null before OrderPlaced has arrived. */
export interface OrderVersion {
  readonly version: number;
  readonly customerId: string | null;
}

/** Reads of the view's table. */
export class OrderQueries {
  readonly #query: Database<OrderViewTables>['query'];

  constructor({ query }: Database<OrderViewTables>) {
    this.#query = query;
  }

  /** Returns the orders in the order of the ids, null for unknown and inaccessible ones. One statement. */
  async byIds(ids: readonly string[], access: Access): Promise<OutputOf<typeof getOrders>['orders']> {
    const rows = await this.#filtered({ access })
      .select(['order_id', 'document'])
      .where('order_id', 'in', [...new Set(ids)])
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

  /** Returns the version of the orders stream in each document, and its customer. Orders without a row are absent. */
  async versions(ids: readonly string[]): Promise<ReadonlyMap<string, OrderVersion>> {
    const rows = await this.#query
      .selectFrom('order_documents')
      .select(['order_id', 'orders_version', 'customer_id'])
      .where('order_id', 'in', ids)
      .execute();
    return new Map(
      rows.map((row) => [row.order_id, { version: row.orders_version, customerId: row.customer_id }]),
    );
  }

  #filtered({ access, statuses }: Filter) {
    return this.#query
      .selectFrom('order_documents')
      .where('placed_at', 'is not', null)
      .$if(access.kind !== 'all', (orders) => orders.where(isOf(access)))
      .$if(statuses !== undefined, (orders) => orders.where('status', 'in', statuses!));
  }
}

/** Condition that an order belongs to a customer of the access. `in ()` is not valid in Postgres. */
function isOf(access: Access) {
  const customerIds = access.kind === 'customers' ? access.customerIds : [];
  if (customerIds.length === 0) return sql<boolean>`1 = 0`;
  return sql<boolean>`${sql.ref('customer_id')} in (${sql.join(customerIds)})`;
}

/** The column needs no validation: only this service writes it. */
function parse(document: string | null): OrderDocument {
  return JSON.parse(document!) as OrderDocument;
}

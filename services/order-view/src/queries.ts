import type { getOrders, listOrders, OrderDocument } from '@order-platform/contracts';
import type { InputOf, OutputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import type { OrderViewTables } from './tables.ts';

type Filter = Pick<InputOf<typeof listOrders>, 'customerId' | 'statuses'>;

/** Reads of the view's table; each is one statement, `list` two. */
export interface OrderQueries {
  byIds(ids: readonly string[]): Promise<OutputOf<typeof getOrders>['orders']>;
  list(
    input: Pick<InputOf<typeof listOrders>, 'first' | 'after'> & Filter,
  ): Promise<Omit<OutputOf<typeof listOrders>, 'satisfied'>>;
  /** What the orders stream has reached in the documents. */
  versions(ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

export function createOrderQueries(database: Database<OrderViewTables>): OrderQueries {
  const { query } = database;

  async function byIds(ids: readonly string[]): Promise<(OrderDocument | null)[]> {
    const rows = await query
      .selectFrom('order_documents')
      .select(['order_id', 'document'])
      .where('order_id', 'in', [...new Set(ids)])
      .where('placed_at', 'is not', null)
      .execute();
    const byId = new Map(rows.map((row) => [row.order_id, parse(row.document)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async function list({ first, after, ...filter }: InputOf<typeof listOrders>) {
    const page = filtered(filter)
      .select('document')
      .$if(after !== undefined, (orders) =>
        orders.where(
          sql<boolean>`(${sql.ref('placed_at')}, ${sql.ref('order_id')}) < (${after!.placedAt}, ${after!.orderId})`,
        ),
      )
      .orderBy('placed_at', 'desc')
      .orderBy('order_id', 'desc')
      .limit(first + 1);
    const count = filtered(filter).select(({ fn }) => fn.countAll<number>().as('total'));
    const [rows, total] = await Promise.all([page.execute(), count.executeTakeFirstOrThrow()]);
    return {
      orders: rows.slice(0, first).map((row) => parse(row.document)),
      hasNextPage: rows.length > first,
      totalCount: total.total,
    };
  }

  /** No status and no statuses at all both mean: whatever the status. */
  function filtered({ customerId, statuses = [] }: Filter) {
    return query
      .selectFrom('order_documents')
      .where('placed_at', 'is not', null)
      .$if(customerId !== undefined, (orders) => orders.where('customer_id', '=', customerId!))
      .$if(statuses.length > 0, (orders) => orders.where('status', 'in', statuses));
  }

  async function versions(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await query
      .selectFrom('order_documents')
      .select(['order_id', 'orders_version'])
      .where('order_id', 'in', ids)
      .execute();
    return new Map(rows.map((row) => [row.order_id, row.orders_version]));
  }

  return { byIds, list, versions };
}

/** Only this service writes the column, and it checked the document when it did. */
function parse(document: string | null): OrderDocument {
  return JSON.parse(document!) as OrderDocument;
}

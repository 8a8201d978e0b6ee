import type { Database, Tables } from '@tidegate/database';
import { sql, type Kysely } from 'kysely';
import type { OutboxTables } from '../tables.ts';

export interface PendingRow {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Reads the unpublished rows of a shard, lowest id first. It does not continue from the last id: ids are assigned before
 * the commit, so a row that commits late would be skipped.
 */
export async function readPendingRows(
  database: Database<Tables>,
  shard: Shard,
  { limit, withoutTopics }: { limit: number; withoutTopics: readonly string[] },
): Promise<PendingRow[]> {
  const rows = await unpublished(database, shard)
    .select(['id', 'topic', 'key', 'value', 'headers', 'created_at'])
    .$if(withoutTopics.length > 0, (query) => query.where('topic', 'not in', withoutTopics))
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    topic: row.topic,
    key: row.key,
    value: row.value,
    headers: JSON.parse(row.headers) as Record<string, string>,
    createdAt: row.created_at,
  }));
}

/** Returns the unpublished row with the lowest id, of all shards. */
export async function oldestPendingRow(
  database: Database<Tables>,
): Promise<{ readonly createdAt: number } | undefined> {
  return unpublished(database, { index: 0, count: 1 })
    .select('created_at as createdAt')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

/** Counts the unpublished rows of all shards. */
export async function countPendingRows(database: Database<Tables>): Promise<number> {
  const row = await unpublished(database, { index: 0, count: 1 })
    .select((select) => select.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return row.rows;
}

function unpublished(database: Database<Tables>, { index, count }: Shard) {
  const query = (database.query as Kysely<OutboxTables>).selectFrom('outbox').where('refused', 'is', null);
  return count === 1 ? query : query.where(sql<boolean>`bucket % ${sql.lit(count)} = ${sql.lit(index)}`);
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { OutboxTables } from '../tables.ts';

/** CloudEvents 1.0, section "id": source and id together identify an event. */
export interface MessageId {
  readonly source: string;
  readonly id: string;
}

/** Rows per INSERT, well below the parameter limits of both databases. */
const INSERT_ROWS = 500;
/** Rows per DELETE, so that a sweep holds locks, and an embedded database the event loop, for a short time only. */
const SWEEP_ROWS = 250;

/**
 * Inserts the messages' ids into the inbox, within the caller's transaction. Returns the `messageKey`s of the messages
 * that were not in the inbox before; the others are duplicates.
 */
export async function markHandled(
  unit: UnitOfWork<Tables>,
  consumer: string,
  messages: readonly MessageId[],
): Promise<Set<string>> {
  const fresh = new Set<string>();
  const handledAt = Date.now();
  for (let from = 0; from < messages.length; from += INSERT_ROWS) {
    const rows = messages
      .slice(from, from + INSERT_ROWS)
      .map(({ source, id }) => ({ consumer, source, id, handled_at: handledAt }));
    const inserted = await (unit.tx as Transaction<OutboxTables>)
      .insertInto('inbox')
      .values(rows)
      .onConflict((conflict) => conflict.columns(['consumer', 'source', 'id']).doNothing())
      .returning(['source', 'id'])
      .execute();
    for (const row of inserted) fresh.add(messageKey(row));
  }
  return fresh;
}

/** Key of a message in the set that `markHandled` returns. */
export function messageKey({ source, id }: MessageId): string {
  return `${source} ${id}`;
}

/**
 * Deletes a consumer's inbox rows from before `beforeMs` (epoch milliseconds), in bounded batches. The event loop
 * turns between them. Resolves with the number of deleted rows.
 */
export async function sweepInbox(
  database: Database<Tables>,
  consumer: string,
  beforeMs: number,
): Promise<number> {
  for (let total = 0; ;) {
    const oldest = (database.query as Kysely<OutboxTables>)
      .selectFrom('inbox')
      .select(['consumer', 'source', 'id'])
      .where('consumer', '=', consumer)
      .where('handled_at', '<', beforeMs)
      .limit(SWEEP_ROWS);
    const deleted = await (database.query as Kysely<OutboxTables>)
      .deleteFrom('inbox')
      .where(sql<boolean>`(consumer, source, id) in (${oldest})`)
      .executeTakeFirst();
    total += Number(deleted.numDeletedRows);
    if (deleted.numDeletedRows < SWEEP_ROWS) return total;
    await nextTurn();
  }
}

import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { OutboxTables } from './outbox-tables.ts';

export interface MessageId {
  readonly source: string;
  readonly id: string;
}

/** Rows one INSERT takes: well below the parameter limits of both databases. */
const INSERT_ROWS = 500;
const SWEEP_ROWS = 1_000;

/** Marks the messages as handled in this unit and returns the ones (by `messageKey`) that had not been before. */
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

export function messageKey({ source, id }: MessageId): string {
  return `${source} ${id}`;
}

/** Forgets what was handled before `beforeMs`, a bounded piece at a time. Resolves with how many rows went. */
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
  }
}

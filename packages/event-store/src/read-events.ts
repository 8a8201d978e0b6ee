import type { Envelope } from '@tidegate/core';
import type { Tables } from '@tidegate/database';
import type { Kysely } from 'kysely';
import type { EventStoreTables } from './event-store-tables.ts';

/**
 * Reads all events of a stream, oldest first. Resolves with an empty list when the stream does not exist. `db` may be a
 * transaction.
 */
export async function readEvents(db: Kysely<Tables>, stream: string): Promise<Envelope[]> {
  const rows = await (db as Kysely<EventStoreTables>)
    .selectFrom('events')
    .select('envelope')
    .where('stream', '=', stream)
    .orderBy('version')
    .execute();
  return rows.map((row) => JSON.parse(row.envelope) as Envelope);
}

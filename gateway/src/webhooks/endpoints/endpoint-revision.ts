import type { UnitOfWork } from '@tidegate/database';
import type { WebhookTables } from '../tables.ts';

/**
 * Increments the revision of the endpoints and returns it. Every transaction that changes an endpoint calls it first:
 * the lock on its row serialises them.
 */
export async function nextRevision(unit: UnitOfWork<WebhookTables>): Promise<number> {
  const { revision } = await unit.tx
    .updateTable('webhook_revision')
    .set((row) => ({ revision: row('revision', '+', 1) }))
    .where('id', '=', 1)
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}

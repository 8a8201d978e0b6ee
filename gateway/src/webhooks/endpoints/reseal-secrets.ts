import type { Database } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { WebhookTables } from '../tables.ts';
import type { SecretBox } from './secret-box.ts';

/**
 * Encrypts each stored secret that is not encrypted with the newest key. Any number of processes may do so at once: a
 * row that changed meanwhile is left alone. A secret whose key is not configured any more is logged and stays.
 */
export async function resealSecrets(
  database: Database<WebhookTables>,
  box: SecretBox,
  logger: Logger,
): Promise<void> {
  const rows = await database.query
    .selectFrom('webhook_endpoints')
    .select(['id', 'secret', 'previous_secret'])
    .execute();
  const isCurrent = (sealed: string | null): boolean => sealed === null || box.isCurrent(sealed);
  for (const row of rows) {
    if (isCurrent(row.secret) && isCurrent(row.previous_secret)) continue;
    const reseal = (sealed: string): string => box.seal(box.open(sealed, row.id), row.id);
    try {
      await database.query
        .updateTable('webhook_endpoints')
        .set({
          secret: reseal(row.secret),
          previous_secret: row.previous_secret === null ? null : reseal(row.previous_secret),
        })
        .where('id', '=', row.id)
        .where('secret', '=', row.secret)
        .execute();
    } catch (error) {
      logger.error({ err: error, endpoint: row.id }, 'the secret of an endpoint cannot be encrypted anew');
    }
  }
}

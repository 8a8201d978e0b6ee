import type { Database } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { WebhookTables } from '../tables.ts';
import { olderSecretsOf } from './older-secrets.ts';
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
    .select(['id', 'secret', 'older_secrets'])
    .execute();
  for (const row of rows) {
    const older = olderSecretsOf(row);
    if ([row, ...older].every(({ secret }) => box.isCurrent(secret))) continue;
    const reseal = (sealed: string): string => box.seal(box.open(sealed, row.id), row.id);
    try {
      await database.query
        .updateTable('webhook_endpoints')
        .set({
          secret: reseal(row.secret),
          older_secrets: JSON.stringify(older.map((each) => ({ ...each, secret: reseal(each.secret) }))),
        })
        .where('id', '=', row.id)
        .where('secret', '=', row.secret)
        .execute();
    } catch (error) {
      logger.error({ err: error, endpoint: row.id }, 'the secret of an endpoint cannot be encrypted anew');
    }
  }
}

import { join } from 'node:path';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { temporaryDirectory } from '@tidegate/testing';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixtureKeys } from '../counter-bff.fixture.ts';
import { webhookMigrations } from '../migrations.ts';
import type { WebhookTables } from '../tables.ts';
import { olderSecretsOf, replacedSecrets, SECRET_OVERLAP_MS } from './older-secrets.ts';
import { SecretBox } from './secret-box.ts';
import { createEndpointSigners, createWebhookSecret } from './signing.ts';

const HOUR_MS = 60 * 60 * 1000;
const box = new SecretBox(fixtureKeys);

/** An endpoint whose secret was rotated at these times. */
function rotatedAt(...timesMs: number[]): { id: string; secret: string; older_secrets: string } {
  const row = { id: 'whe_1', secret: box.seal(createWebhookSecret(), 'whe_1'), older_secrets: '[]' };
  for (const timeMs of timesMs) {
    row.older_secrets = replacedSecrets(row, timeMs);
    row.secret = box.seal(createWebhookSecret(), 'whe_1');
  }
  return row;
}

describe('a replaced secret of an endpoint', () => {
  it('signs for one day after it was replaced, also when its successor is replaced meanwhile', () => {
    const signersAt = createEndpointSigners(rotatedAt(0, HOUR_MS), box);
    expect(signersAt(HOUR_MS)).toHaveLength(3);
    expect(signersAt(SECRET_OVERLAP_MS)).toHaveLength(2);
    expect(signersAt(SECRET_OVERLAP_MS + HOUR_MS)).toHaveLength(1);
  });

  it('is forgotten at the first rotation after its end', () => {
    expect(olderSecretsOf(rotatedAt(0, HOUR_MS, SECRET_OVERLAP_MS))).toHaveLength(2);
  });

  it('leaves no room for a fifth: the rotation is refused until the oldest has ended', () => {
    const row = rotatedAt(0, 1, 2, 3);
    expect(() => replacedSecrets(row, HOUR_MS)).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        details: { max: 4, retryAfterMs: SECRET_OVERLAP_MS - HOUR_MS },
      }),
    );
    expect(JSON.parse(replacedSecrets(row, SECRET_OVERLAP_MS))).toHaveLength(4);
  });

  it('of a database from before goes on signing', async () => {
    await using directory = await temporaryDirectory();
    const database = createSqliteDatabase<WebhookTables>({ path: join(directory.path, 'webhooks.sqlite') });
    onTestFinished(() => database.close());
    const { '0105-webhook-older-secrets': _newest, ...before } = webhookMigrations;
    await database.migrate(before);
    const previous = box.seal(createWebhookSecret(), 'whe_1');
    await sql`insert into webhook_endpoints (id, partner, url, bff, document, variables, status, secret, previous_secret,
      previous_secret_until, starts_at, created_at, revision)
      values ('whe_1', 'p', 'u', 'b', 'd', '{}', 'enabled', 's', ${previous}, ${SECRET_OVERLAP_MS}, '{}', 0, 1),
        ('whe_2', 'p', 'u', 'b', 'd', '{}', 'enabled', 's', null, null, '{}', 1, 2)`.execute(database.query);
    await database.migrate(webhookMigrations);
    const rows = await database.query.selectFrom('webhook_endpoints').selectAll().orderBy('id').execute();
    expect(rows.map(olderSecretsOf)).toEqual([[{ secret: previous, until: SECRET_OVERLAP_MS }], []]);
  });
});

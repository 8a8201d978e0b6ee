import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { describe, expect, it } from 'vitest';
import { webhookMigrations } from '../migrations.ts';
import type { WebhookTables } from '../tables.ts';
import { sweepDeliveries } from './delivery-retention.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;

describe('the retention of deliveries', () => {
  it('deletes old deliveries and unused changes, and no others, while the event loop turns', async () => {
    const database = createSqliteDatabase<WebhookTables>({ path: ':memory:' });
    await database.migrate(webhookMigrations);
    const insert = async (
      count: number,
      prefix: string,
      ageMs: number,
      status: 'pending' | 'delivered',
    ): Promise<void> => {
      const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
      const [created_at, finished_at] = [NOW_MS - ageMs, status === 'pending' ? null : NOW_MS - ageMs];
      await database.query
        .insertInto('webhook_changes')
        .values(ids.map((id) => ({ id, envelope: '{}', created_at })))
        .execute();
      const common = { ordering_key: 'k', event_id: 'e', subject: 's', sequence: 1, attempts: 0 };
      const deliveries = ids.map((id) => ({
        ...{ ...common, id, endpoint_id: 'gone', change_id: id, status, created_at, finished_at },
        ...{ next_attempt_at: 0, lease_until: 0 },
      }));
      if (prefix !== 'unused')
        await database.query.insertInto('webhook_deliveries').values(deliveries).execute();
    };
    await insert(450, 'old', 8 * DAY_MS, 'delivered');
    await insert(450, 'unused', DAY_MS, 'delivered');
    await insert(3, 'young', DAY_MS, 'delivered');
    await insert(450, 'orphan', DAY_MS, 'pending');
    let turns = 0;
    const count = (): void => {
      turns += 1;
      counter = setImmediate(count);
    };
    let counter = setImmediate(count);
    const retention = { keepDeliveredMs: 7 * DAY_MS, keepDeadMs: 30 * DAY_MS, maxPendingPerEndpoint: 10_000 };
    await sweepDeliveries({ database, nowMs: NOW_MS, ...retention });
    clearImmediate(counter);
    const left = await database.query
      .selectFrom('webhook_deliveries')
      .select(['status', (row) => row.fn.countAll<number>().as('count')])
      .groupBy('status')
      .orderBy('status')
      .execute();
    expect(left.map(({ status, count: rows }) => `${status} ${rows}`)).toEqual(['dead 450', 'delivered 3']);
    const changes = await database.query.selectFrom('webhook_changes').select('id').execute();
    expect(changes).toHaveLength(453);
    expect(turns, 'turns of the event loop during the sweep').toBeGreaterThanOrEqual(9);
    await database.close();
  });
});

import type { Database, Tables } from '@tidegate/database';
import type { Metrics } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import type { OutboxTables } from '../tables.ts';
import { countPendingRows, oldestPendingRow } from './pending-rows.ts';

/** Counting a long outbox reads each of its rows. */
const EVERY_MS = 5_000;

/** Shows depth and age of an outbox at each scrape. Returns a function that ends it. */
export function sampleOutbox(metrics: Metrics, database: Database<Tables>, relay: string): () => void {
  const gauge = (name: `tidegate_outbox_${string}`, help: string, read: () => Promise<number>) =>
    metrics.sample({ name, help, labels: ['relay'], everyMs: EVERY_MS }, async () => [
      { labels: { relay }, value: await read() },
    ]);
  const ends = [
    gauge('tidegate_outbox_rows', 'Committed messages that are not known to be in the log', () =>
      countPendingRows(database),
    ),
    gauge(
      'tidegate_outbox_oldest_seconds',
      'Age of the oldest message that is not known to be in the log, 0 without any',
      async () => {
        const oldest = await oldestPendingRow(database);
        return oldest ? Math.max(0, Date.now() - oldest.createdAt) / 1_000 : 0;
      },
    ),
    gauge('tidegate_outbox_refused_rows', 'Messages that the log refuses for good', () =>
      countRefusedRows(database),
    ),
  ];
  return () => ends.forEach((end) => end());
}

async function countRefusedRows(database: Database<Tables>): Promise<number> {
  const { rows } = await (database.query as Kysely<OutboxTables>)
    .selectFrom('outbox')
    .select((select) => select.fn.countAll<number>().as('rows'))
    .where('refused', 'is not', null)
    .executeTakeFirstOrThrow();
  return rows;
}

import type { Database, Tables } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { Metrics } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import type { OutboxTables } from '../tables.ts';

export interface ConsumerSamplesOptions {
  readonly metrics: Metrics;
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly group: string;
  readonly topics: readonly string[];
  readonly inbox: boolean;
}

/** The inbox may hold millions of rows, and counting them reads each. */
const COUNT_INBOX_EVERY_MS = 60_000;

/** Shows lag and inbox of a consumer at each scrape. Returns a function that ends it. */
export function sampleConsumer(options: ConsumerSamplesOptions): () => void {
  const { metrics, database, log, group, topics, inbox } = options;
  const ends = [
    metrics.sample(
      {
        name: 'tidegate_consumer_lag_records',
        help: 'Records that the group has not acknowledged. Each member of a group shows the whole group',
        labels: ['group', 'topic', 'partition'],
      },
      async () => (await Promise.all(topics.map((topic) => lagOf(log, group, topic)))).flat(),
    ),
  ];
  if (inbox) {
    ends.push(
      metrics.sample(
        {
          name: 'tidegate_inbox_rows',
          help: 'Ids by which the group recognises repeated messages, counted once a minute',
          labels: ['group'],
          everyMs: COUNT_INBOX_EVERY_MS,
        },
        async () => [{ labels: { group }, value: await countInbox(database, group) }],
      ),
    );
  }
  return () => ends.forEach((end) => end());
}

async function lagOf(log: EventLog, group: string, topic: string) {
  const lags = await log.lag(group, topic);
  return lags.map(({ partition, lag }) => ({ labels: { group, topic, partition }, value: lag }));
}

async function countInbox(database: Database<Tables>, group: string): Promise<number> {
  const { rows } = await (database.query as Kysely<OutboxTables>)
    .selectFrom('inbox')
    .select((select) => select.fn.countAll<number>().as('rows'))
    .where('consumer', '=', group)
    .executeTakeFirstOrThrow();
  return rows;
}

import { CounterRaised, sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic, createMessage, redrivenTopic, topicSpecs, type Envelope } from '@tidegate/core';
import type { Database, Migrations, UnitOfWork } from '@tidegate/database';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import { createOutbox, type Outbox } from '../outbox/outbox.ts';
import { outboxMigrations, type OutboxTables } from '../tables.ts';

export interface SampleTables extends OutboxTables {
  aggregates: { id: string; version: number };
}

/** A database and a log. Each `open` returns another handle, as another process would have it. */
export interface OutboxSubject extends AsyncDisposable {
  openDatabase(): Database<SampleTables>;
  openLog(): EventLog;
}

export type CreateSubject = () => Promise<OutboxSubject>;

export const sampleMigrations: Migrations = {
  ...outboxMigrations,
  '0002-aggregates': {
    async up(db) {
      await db.schema
        .createTable('aggregates')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('version', 'integer', (column) => column.notNull())
        .execute();
    },
  },
};

export interface Fixture extends AsyncDisposable {
  readonly subject: OutboxSubject;
  readonly database: Database<SampleTables>;
  readonly log: EventLog;
  readonly outbox: Outbox;
}

export const allTopics = [
  sampleTopics.counterEvents,
  sampleTopics.alarmEvents,
  deadLetterTopic,
  redrivenTopic,
];

/** Creates a migrated database, a log with its topics, and an outbox. */
export async function createFixture(create: CreateSubject, shards = 1): Promise<Fixture> {
  const subject = await create();
  const database = subject.openDatabase();
  const log = subject.openLog();
  await database.migrate(sampleMigrations);
  await log.ensureTopics(topicSpecs(allTopics, 3));
  const outbox = createOutbox({ database, shards });
  return { subject, database, log, outbox, [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() };
}

export function counterRaised(key: string, sequence: number): Envelope {
  return createMessage(CounterRaised, {
    id: `counters/${key}@${sequence}`,
    key,
    sequence,
    timeMs: 1_700_000_000_000,
    data: { counterId: key },
  });
}

/** Adds one to the version of an aggregate, and so takes its row lock. */
export async function increment(unit: UnitOfWork<SampleTables>, id: string): Promise<void> {
  await unit.tx
    .insertInto('aggregates')
    .values({ id, version: 1 })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((row) => ({ version: row('aggregates.version', '+', 1) })),
    )
    .execute();
}

/** Raises a counter as a command handler does: locks the aggregate's row, then adds the event of the new version. */
export async function raiseCounter(
  unit: UnitOfWork<SampleTables>,
  outbox: Outbox,
  key: string,
): Promise<number> {
  await increment(unit, key);
  const { version } = await unit.tx
    .selectFrom('aggregates')
    .select('version')
    .where('id', '=', key)
    .executeTakeFirstOrThrow();
  await outbox.add(unit, sampleTopics.counterEvents, [counterRaised(key, version)]);
  return version;
}

/** Reads all records of the topic, ordered within each partition. */
export async function allRecords(log: EventLog, topic: string): Promise<LogRecord[]> {
  const ends = await log.ends(topic);
  const partitions = await Promise.all(
    ends.map(async ({ partition, start, end }) => {
      const records: LogRecord[] = [];
      for (let fromOffset = start; fromOffset < end; fromOffset = records.at(-1)!.offset + 1) {
        const page = await log.read({ topic, partition, fromOffset, toOffset: end, maxRecords: 5_000 });
        if (page.length === 0) break;
        records.push(...page);
      }
      return records;
    }),
  );
  return partitions.flat();
}

/** Published versions of each key, in the order of the log. */
export function versionsByKey(records: readonly LogRecord[]): Map<string, number[]> {
  const versions = new Map<string, number[]>();
  for (const { key, headers } of records) {
    versions.set(key, [...(versions.get(key) ?? []), Number(headers['ce_sequence'])]);
  }
  return versions;
}

export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

import { encodeEnvelope, type Envelope, type TopicDefinition } from '@tidegate/core';
import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import { murmur2 } from '@tidegate/event-log';
import type { Transaction } from 'kysely';
import type { OutboxTables } from '../tables.ts';

export interface Outbox {
  /**
   * Inserts the envelopes as rows of the caller's transaction. They are published, in this order per key, if and only
   * if it commits. Call it AFTER the aggregate's row was locked or updated: otherwise two transactions on one key
   * could get their row ids in one order and commit in the other. Wakes the relay after the commit.
   */
  add(unit: UnitOfWork<Tables>, topic: TopicDefinition, envelopes: readonly Envelope[]): Promise<void>;
  /** Number of shards. Each is published by one relay at a time. */
  readonly shards: number;
}

export interface OutboxOptions {
  readonly database: Database<Tables>;
  /**
   * Number of shards, 1 to 64; a key never waits for a key of another shard. One shard carries thousands of events a
   * second. Every process of a service must use the same number. Default 1.
   */
  readonly shards?: number;
}

/** Channel of `Database.signals` that wakes relays. */
export const outboxChannel = 'outbox';

/** Hash buckets of keys. Shards divide the buckets among them. */
const BUCKETS = 64;

/**
 * Creates the outbox of a service. Its tables come from `outboxMigrations`.
 *
 * @throws RangeError when `shards` is not an integer from 1 to 64.
 *
 * @example
 * const database = createSqliteDatabase<OutboxTables>({ path: 'service.db' });
 * await database.migrate(outboxMigrations);
 * const outbox = createOutbox({ database });
 * await database.transaction(async (unit) => {
 *   await outbox.add(unit, counterEvents, [counterRaised]);
 * });
 */
export function createOutbox(options: OutboxOptions): Outbox {
  return new DatabaseOutbox(options);
}

class DatabaseOutbox implements Outbox {
  readonly shards: number;
  readonly #database: Database<Tables>;

  constructor({ database, shards = 1 }: OutboxOptions) {
    if (!Number.isInteger(shards) || shards < 1 || shards > BUCKETS) {
      throw new RangeError(`shards must be 1 to ${BUCKETS}, not ${shards}`);
    }
    this.#database = database;
    this.shards = shards;
  }

  async add(unit: UnitOfWork<Tables>, topic: TopicDefinition, envelopes: readonly Envelope[]): Promise<void> {
    if (envelopes.length === 0) return;
    const now = Date.now();
    const rows = envelopes.map((envelope) => toRow(topic, envelope, now));
    await (unit.tx as Transaction<OutboxTables>).insertInto('outbox').values(rows).execute();
    this.#database.signals.notify(unit, outboxChannel);
  }
}

function toRow(topic: TopicDefinition, envelope: Envelope, now: number) {
  const { key, value, headers } = encodeEnvelope(envelope);
  return {
    bucket: (murmur2(Buffer.from(key)) & 0x7fffffff) % BUCKETS,
    topic: topic.name,
    key,
    value: value.toString('utf8'),
    headers: JSON.stringify(headers),
    created_at: now,
    refused: null,
  };
}

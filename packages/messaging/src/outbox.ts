import { encodeEnvelope, type Envelope, type TopicDefinition } from '@tidegate/core';
import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import { murmur2 } from '@tidegate/event-log';
import type { Transaction } from 'kysely';
import type { OutboxTables } from './outbox-tables.ts';

export interface Outbox {
  /**
   * Adds the envelopes to the caller's transaction: they are published, in this order per key, if and only if it
   * commits. Call it AFTER the aggregate's row was locked or updated, or two transactions on one key could get their
   * row ids in one order and commit in the other. Wakes the relay after the commit.
   */
  add(unit: UnitOfWork<Tables>, topic: TopicDefinition, envelopes: readonly Envelope[]): Promise<void>;
  /** How many relays share the keys. */
  readonly shards: number;
}

export const outboxChannel = 'outbox';
export const BUCKETS = 64;

/**
 * `shards`: each is published by one relay at a time, keys never wait for another shard's. One shard carries
 * thousands of events a second; every process of a service must use the same number. Default 1.
 */
export function createOutbox({
  database,
  shards = 1,
}: {
  database: Database<Tables>;
  shards?: number;
}): Outbox {
  if (!Number.isInteger(shards) || shards < 1 || shards > BUCKETS) {
    throw new RangeError(`shards must be 1 to ${BUCKETS}, not ${shards}`);
  }

  async function add(
    unit: UnitOfWork<Tables>,
    topic: TopicDefinition,
    envelopes: readonly Envelope[],
  ): Promise<void> {
    if (envelopes.length === 0) return;
    const now = Date.now();
    const rows = envelopes.map((envelope) => toRow(topic, envelope, now));
    await (unit.tx as Transaction<OutboxTables>).insertInto('outbox').values(rows).execute();
    database.signals.notify(unit, outboxChannel);
  }

  return { add, shards };
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

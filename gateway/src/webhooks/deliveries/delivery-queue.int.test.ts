import { randomUUID } from 'node:crypto';
import type { Database } from '@tidegate/database';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { postgresUrlFromEnv, until } from '@tidegate/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Room } from './claim-turns.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { enqueueDeliveries, webhookId } from './pending-delivery.ts';
import { nextRevision } from '../endpoints/endpoint-revision.ts';
import { webhookMigrations } from '../migrations.ts';
import type { WebhookTables } from '../tables.ts';
import { createWebhookWorld } from '../webhook-world.fixture.ts';

const url = postgresUrlFromEnv();

/** The same room for every partner and endpoint; each endpoint is of a partner of its own. */
const roomFor = (count: number): Room => ({
  partnerOf: (id) => id,
  ofEndpoint: () => count,
  ofPartner: () => count,
});

describe.skipIf(url === undefined)('webhooks on Postgres', () => {
  const schema = `webhooks_${randomUUID().slice(0, 8)}`;
  const databases: Database<WebhookTables>[] = [];
  const open = (): Database<WebhookTables> => {
    const database = createPostgresDatabase<WebhookTables>({ url: url!, schema });
    databases.push(database);
    return database;
  };
  let database: Database<WebhookTables>;

  beforeAll(async () => {
    database = open();
    await database.migrate(webhookMigrations);
  });
  afterAll(async () => {
    await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(database.query);
    await Promise.all(databases.map((each) => each.close()));
  });

  const pendingRow = (seq: number, key: string) => ({
    id: `msg_${randomUUID()}`,
    endpoint_id: 'whe_1',
    ordering_key: key,
    change_id: null,
    event_id: `${key}@${seq}`,
    subject: key,
    sequence: seq,
    status: 'pending' as const,
    attempts: 0,
    next_attempt_at: 0,
    lease_owner: null,
    lease_until: 0,
    body: '{}',
    created_at: 0,
    finished_at: null,
  });

  it('leases a delivery to one of eight dispatchers, and one delivery of a key at a time', async () => {
    const rows = Array.from({ length: 400 }, (_, seq) => pendingRow(seq, `key-${seq % 40}`));
    await database.query.insertInto('webhook_deliveries').values(rows).execute();
    const leased = new Set<number>();
    const order = new Map<string, number[]>();
    const queues = Array.from({ length: 8 }, () => new DeliveryQueue(open(), Date.now));

    async function work(queue: DeliveryQueue): Promise<void> {
      for (let idle = 0; idle < 20;) {
        const claimed = await queue.claim({ limit: 10, leaseMs: 60_000, room: roomFor(10) });
        idle = claimed.length === 0 ? idle + 1 : 0;
        for (const delivery of claimed) {
          expect(leased.has(delivery.seq), 'leased once').toBe(false);
          leased.add(delivery.seq);
        }
        for (const delivery of claimed) {
          const { ordering_key: key } = await database.query
            .selectFrom('webhook_deliveries')
            .select('ordering_key')
            .where('seq', '=', delivery.seq)
            .executeTakeFirstOrThrow();
          order.set(key, [...(order.get(key) ?? []), delivery.seq]);
          const kept = await queue.settle(
            delivery,
            { at: 0, durationMs: 1 },
            { status: 'delivered' },
            { kind: 'healthy' },
          );
          expect(kept).toBe(true);
        }
      }
    }

    await Promise.all(queues.map(work));
    expect(leased.size).toBe(400);
    for (const seqs of order.values()) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });

  it('delivers all that is enqueued while earlier deliveries of the same keys end, in order', async () => {
    await database.query.deleteFrom('webhook_deliveries').execute();
    const keys = ['a', 'b', 'c'];
    const versions = 60;
    const delivered = new Map<string, string[]>(keys.map((key) => [key, []]));
    const total = (): number => [...delivered.values()].reduce((sum, { length }) => sum + length, 0);

    async function enqueueAll(key: string): Promise<void> {
      const writer = open();
      for (let version = 1; version <= versions; version++) {
        const event = { source: '/test', id: `${key}@${version}`, subject: key, sequence: version };
        const delivery = { endpointId: 'whe_1', orderingKey: key, event, changeId: null, body: '{}' };
        await writer.transaction(async (unit) => {
          await enqueueDeliveries(writer, unit, [delivery], 0);
          // Earlier deliveries end before this transaction does.
          await sql`select pg_sleep(0.004)`.execute(unit.tx);
        });
      }
    }
    async function deliverAll(queue: DeliveryQueue): Promise<void> {
      while (total() < keys.length * versions) {
        for (const delivery of await queue.claim({ limit: 4, leaseMs: 60_000, room: roomFor(4) })) {
          delivered.get(delivery.orderingKey)!.push(delivery.id);
          await queue.settle(
            delivery,
            { at: 0, durationMs: 1 },
            { status: 'delivered' },
            { kind: 'healthy' },
          );
        }
      }
    }

    const workers = Array.from({ length: 4 }, () => deliverAll(new DeliveryQueue(open(), Date.now)));
    await Promise.all([...keys.map(enqueueAll), ...workers]);
    for (const key of keys) {
      const expected = Array.from({ length: versions }, (_, index) =>
        webhookId('whe_1', { source: '/test', id: `${key}@${index + 1}` }),
      );
      expect(delivered.get(key)).toEqual(expected);
    }
  });

  it('leases a delivery anew after its lease has ended, and the former holder cannot settle it', async () => {
    await database.query.deleteFrom('webhook_deliveries').execute();
    await database.query.insertInto('webhook_deliveries').values(pendingRow(1, 'one')).execute();
    let now = 1_000;
    const [late, next] = [new DeliveryQueue(database, () => now), new DeliveryQueue(database, () => now)];
    const claim = (queue: DeliveryQueue) => queue.claim({ limit: 1, leaseMs: 100, room: roomFor(1) });
    const [delivery] = await claim(late);
    expect(await claim(next)).toEqual([]);
    now += 101;
    expect(await claim(next)).toHaveLength(1);
    const settle = (queue: DeliveryQueue) =>
      queue.settle(delivery!, { at: 0, durationMs: 1 }, { status: 'delivered' }, { kind: 'healthy' });
    expect(await settle(late)).toBe(false);
    expect(await settle(next)).toBe(true);
  });

  it('gives concurrent transactions different revisions', async () => {
    const given = await Promise.all(
      Array.from({ length: 10 }, () => database.transaction((unit) => nextRevision(unit))),
    );
    expect(new Set(given).size).toBe(10);
  });

  it('delivers every change in order per key with two dispatchers', async () => {
    await database.query.deleteFrom('webhook_deliveries').execute();
    const own = createPostgresDatabase<WebhookTables>({ url: url!, schema });
    const world = await createWebhookWorld({ database: own });
    try {
      const receiver = await world.startReceiver();
      const { id } = await world.register(receiver.url);
      await Promise.all([world.startDispatcher(), world.startDispatcher()]);
      for (let version = 1; version <= 20; version++) {
        await Promise.all(['a', 'b', 'c'].map((key) => world.change(key, version)));
      }
      await until(
        async () => {
          const deliveries = await world.deliveries(id);
          return deliveries.length === 60 && deliveries.every((each) => each.status === 'delivered');
        },
        { what: 'all deliveries are delivered', timeoutMs: 20_000 },
      );
      for (const key of ['a', 'b', 'c']) {
        const versions = receiver.received
          .filter(({ event }) => event.subject === key)
          .map(({ event }) => event.sequence);
        expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      }
    } finally {
      await world.close();
    }
  });
});

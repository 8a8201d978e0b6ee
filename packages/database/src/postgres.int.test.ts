import { randomUUID } from 'node:crypto';
import { deferred, postgresUrlFromEnv, until } from '@tidegate/testing';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDatabase } from './conformance.ts';
import { balanceOf, migrated, type CreateSubject, type SampleTables } from './conformance/subject.ts';
import type { Database } from './database.ts';
import { createPostgresDatabase } from './postgres.ts';

const url = postgresUrlFromEnv();

/** Each subject has its own schema, which its disposal drops. */
const inOwnSchema: CreateSubject = async () => {
  const schema = `test-${randomUUID().slice(0, 8)}`;
  const opened: Database<SampleTables>[] = [];
  return {
    open() {
      const database = createPostgresDatabase<SampleTables>({ url: url!, schema, maxConnections: 8 });
      opened.push(database);
      return database;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((database) => database.close()));
      const client = new pg.Client(url);
      await client.connect();
      await client.query(`drop schema if exists "${schema}" cascade`);
      await client.end();
    },
  };
};

describe.skipIf(url === undefined)('with a real Postgres (DATABASE_URL)', () => {
  let admin: pg.Client;
  beforeAll(async () => {
    admin = new pg.Client(url);
    await admin.connect();
  });
  afterAll(() => admin.end());

  /** Terminates the database's backends, as a restart or failover of Postgres does. */
  async function endConnections(database: Database<SampleTables>): Promise<void> {
    const { rows } = await sql<{ name: string }>`select current_setting('application_name') as name`.execute(
      database.query,
    );
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      rows[0]!.name,
    ]);
  }

  describeDatabase('Postgres', inOwnSchema);

  describe('Postgres', () => {
    it('runs a transaction again whose connection was terminated', async () => {
      await using fixture = await migrated(inOwnSchema);
      const { database } = fixture;
      const started = deferred();
      const ended = deferred();
      const running = database.transaction(async ({ tx }) => {
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        started.resolve();
        await ended.promise;
        await tx.selectFrom('accounts').selectAll().execute();
      });
      await started.promise;
      await endConnections(database);
      ended.resolve();
      // It was not committed, so it is run again.
      await running;
      expect(await balanceOf(database, 'a')).toBe(1);
    });

    it('gives up the connections to a server that was demoted to a standby, and runs the transaction again', async () => {
      await using fixture = await migrated(inOwnSchema);
      const { database } = fixture;
      // A standby refuses writes with the same state as a session that is read-only.
      const demote = () => sql`set session characteristics as transaction read only`.execute(database.query);
      await Promise.all(Array.from({ length: 20 }, demote));
      await database.transaction(async ({ tx }) => {
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
      });
      expect(await balanceOf(database, 'a')).toBe(1);
    });

    it('aborts `lost` when the connection of a lock is terminated, and grants the lock to another', async () => {
      await using subject = await inOwnSchema();
      const [one, two] = [subject.open(), subject.open()];
      const lock = await one.tryLock('relay');
      const lost = deferred();
      lock!.lost.addEventListener('abort', () => lost.resolve());
      await endConnections(one);
      await lost.promise;
      await until(() => two.tryLock('relay'), { what: 'the other has the lock' });
    });

    it('wakes listeners of another process, and wakes them once after a lost connection is restored', async () => {
      await using fixture = await migrated(inOwnSchema);
      const other = fixture.subject.open();
      let woken = 0;
      await other.signals.listen('here', () => woken++);
      const notify = () =>
        fixture.database.transaction(async (unit) => fixture.database.signals.notify(unit, 'here'));
      await notify();
      await until(() => woken === 1, { what: 'the other process is woken' });
      await endConnections(other);
      await until(() => woken === 2, { what: 'it is woken because something may have been missed' });
      // Its own connections were terminated as well.
      await until(() => notify().then(() => true), { what: 'the notifying process is back' });
      await until(() => woken === 3, { what: 'it is woken over the new connection' });
    });

    it('retries the victim of a deadlock', async () => {
      await using fixture = await migrated(inOwnSchema);
      const { database } = fixture;
      await database.query
        .insertInto('accounts')
        .values(['a', 'b'].map((id) => ({ id, balance: 0, note: null })))
        .execute();
      const bothHold = { a: deferred(), b: deferred() };
      const add = async (first: 'a' | 'b', second: 'a' | 'b') => {
        let attempts = 0;
        await database.transaction(async ({ tx }) => {
          attempts++;
          const increment = (id: string) =>
            tx
              .updateTable('accounts')
              .set((row) => ({ balance: row('balance', '+', 1) }))
              .where('id', '=', id)
              .execute();
          await increment(first);
          bothHold[first].resolve();
          await bothHold[second].promise;
          await increment(second);
        });
        return attempts;
      };
      const attempts = await Promise.all([add('a', 'b'), add('b', 'a')]);
      // The retry may take its first row before the other transaction has woken up, and meet the deadlock again.
      expect(attempts[0] + attempts[1]).toBeGreaterThanOrEqual(3);
      expect([await balanceOf(database, 'a'), await balanceOf(database, 'b')]).toEqual([2, 2]);
    });

    it('cancels a statement that exceeds the statement timeout', async () => {
      const database = createPostgresDatabase({ url: url!, schema: 'public', statementTimeoutMs: 100 });
      await expect(sql`select pg_sleep(5)`.execute(database.query)).rejects.toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      });
      await database.close();
    });

    it('creates its schema once when several processes start at once', async () => {
      await using subject = await inOwnSchema();
      const handles = Array.from({ length: 6 }, () => subject.open());
      await Promise.all(handles.map((database) => database.ping(10_000)));
      const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(
        handles[0]!.query,
      );
      expect(rows[0]?.name).toMatch(/^test-/);
    });
  });
});

describe('createPostgresDatabase', () => {
  it('rejects with UNAVAILABLE when no server listens', async () => {
    const database = createPostgresDatabase({
      url: 'postgres://nobody@127.0.0.1:1/none',
      schema: 'counters',
    });
    await expect(database.ping(2_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(database.transaction(async () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(database.tryLock('relay')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await database.close();
  });

  it('refuses an invalid schema name', () => {
    expect(() => createPostgresDatabase({ url: 'postgres://', schema: 'a"; drop' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

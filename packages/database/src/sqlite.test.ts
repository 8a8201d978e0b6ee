import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startChild, temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { describeDatabase } from './conformance.ts';
import { migrated, sampleMigrations, type CreateSubject, type SampleTables } from './conformance/subject.ts';
import type { Database } from './database.ts';
import { createSqliteDatabase } from './sqlite.ts';

const onFile: CreateSubject = async () => {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'data', 'service.db');
  const opened: Database<SampleTables>[] = [];
  return {
    open() {
      const database = createSqliteDatabase<SampleTables>({ path });
      opened.push(database);
      return database;
    },
    async [Symbol.asyncDispose]() {
      for (const database of opened) await database.close();
      await directory.remove();
    },
  };
};

describeDatabase('SQLite', onFile);

describe('the SQLite file', () => {
  it('is readable by its owner only, with the files beside it, also when it was not before', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'data', 'service.db');
    await mkdir(dirname(path));
    await writeFile(path, '', { mode: 0o644 });
    const database = createSqliteDatabase<SampleTables>({ path });
    await database.migrate(sampleMigrations);
    const lock = await database.tryLock('a');
    const files = await readdir(dirname(path));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await stat(join(dirname(path), file))).mode & 0o777, file).toBe(0o600);
    await lock?.release();
    await database.close();
  });

  it('holds every committed transaction completely after kill -9', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'service.db');
    let committed = -1;
    for (let kill = 0; kill < 3; kill++) {
      await using child = startChild('packages/database/src/sqlite/committing-process.fixture.ts', {
        DATABASE_PATH: path,
      });
      await child.waitForLine(`committed ${committed + 300}`);
      await child.kill('SIGKILL');
      committed = Math.max(...child.lines.map((line) => Number(/^committed (\d+)$/.exec(line)?.[1] ?? -1)));
      const database = createSqliteDatabase<SampleTables>({ path });
      const accounts = await database.query.selectFrom('accounts').select('id').execute();
      const journal = await database.query.selectFrom('journal').select('account').execute();
      await database.close();
      expect(accounts.length).toBeGreaterThan(committed);
      expect(journal.map((row) => row.account).toSorted()).toEqual(accounts.map((row) => row.id).toSorted());
    }
  });

  it('serves reads during a long transaction', async () => {
    await using fixture = await migrated(onFile);
    const { database } = fixture;
    const reading = Promise.withResolvers<void>();
    const running = database.transaction(async ({ tx }) => {
      await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
      await reading.promise;
    });
    expect(await database.query.selectFrom('accounts').selectAll().execute()).toEqual([]);
    reading.resolve();
    await running;
  });

  it('rejects with UNAVAILABLE when it cannot be opened', async () => {
    await using directory = await temporaryDirectory();
    const open = () => createSqliteDatabase({ path: directory.path });
    expect(open).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});

describe('SQLite in memory', () => {
  it('hides an open transaction from reads outside it, although they share one connection', async () => {
    const database = createSqliteDatabase<SampleTables>({ path: ':memory:' });
    await database.migrate({
      '1': { up: (db) => db.schema.createTable('t').addColumn('n', 'integer').execute() },
    });
    const query = database.query.selectFrom('t' as never).selectAll();
    const inserted = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const running = database
      .transaction(async ({ tx }) => {
        await tx
          .insertInto('t' as never)
          .values({ n: 1 })
          .execute();
        inserted.resolve();
        await finish.promise;
        throw new Error('on purpose');
      })
      .catch(() => undefined);
    await inserted.promise;
    const rows = query.execute();
    finish.resolve();
    await running;
    expect(await rows).toEqual([]);
    await database.close();
  });
});

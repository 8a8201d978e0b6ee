import { join } from 'node:path';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { temporaryDirectory } from '@tidegate/testing';
import { describeEventStore } from './conformance.ts';
import type { EventStoreTables } from './event-store-tables.ts';

describeEventStore('SQLite', async () => {
  const directory = await temporaryDirectory();
  const databases: Database<EventStoreTables>[] = [];
  return {
    open() {
      const database = createSqliteDatabase<EventStoreTables>({ path: join(directory.path, 'service.db') });
      databases.push(database);
      return database;
    },
    async [Symbol.asyncDispose]() {
      for (const database of databases) await database.close();
      await directory.remove();
    },
  };
});

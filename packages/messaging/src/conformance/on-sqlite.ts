import { join } from 'node:path';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory } from '@tidegate/testing';
import type { OutboxSubject, SampleTables } from './subject.ts';

/** Opens log and database on files in a temporary folder. `openDatabase` replaces the database. */
export async function openOnFiles(
  openDatabase?: () => Database<SampleTables>,
  dispose: () => Promise<void> = async () => {},
): Promise<OutboxSubject> {
  const directory = await temporaryDirectory();
  const open: (Database<SampleTables> | EventLog)[] = [];
  const kept = <T extends Database<SampleTables> | EventLog>(each: T): T => {
    open.push(each);
    return each;
  };
  const onFile = () => createSqliteDatabase<SampleTables>({ path: join(directory.path, 'service.db') });
  return {
    openDatabase: () => kept((openDatabase ?? onFile)()),
    openLog: () => kept(createSqliteEventLog({ path: join(directory.path, 'log.db'), logger: silentLogger })),
    async [Symbol.asyncDispose]() {
      for (const each of open.toReversed()) await each.close();
      await dispose();
      await directory.remove();
    },
  };
}

import type { Database } from '@tidegate/database';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory } from '@tidegate/testing';

/** Backends of a platform: one log, and one database per service. */
export interface Storage extends AsyncDisposable {
  readonly log: EventLog;
  open<Tables>(name: string): Database<Tables>;
  /** Opens the same data again, as a restarted process does. Disposing of it closes it and keeps the data. */
  reopened(): Storage;
}

type OpenDatabase = <Tables>(name: string) => Database<Tables>;

export async function createEmbeddedStorage(): Promise<Storage> {
  const directory = await temporaryDirectory();
  return storageIn(
    directory.path,
    <Tables>(name: string) => createSqliteDatabase<Tables>({ path: `${directory.path}/${name}.sqlite` }),
    () => directory.remove(),
  );
}

/** Each service has its own Postgres schema. The log stays embedded, so that concurrent runs are separate. */
export async function createPostgresStorage(url: string): Promise<Storage> {
  const directory = await temporaryDirectory();
  const run = `choreography_${process.pid}_${Date.now().toString(36)}`;
  const schemas = new Set<string>();
  const open = <Tables>(name: string): Database<Tables> => {
    const schema = `${run}_${name}`;
    schemas.add(schema);
    return createPostgresDatabase<Tables>({ url, schema, maxConnections: 6 });
  };
  return storageIn(directory.path, open, async () => {
    const database = createPostgresDatabase({ url, schema: 'public', maxConnections: 1 });
    for (const schema of schemas) {
      await database.query.schema.dropSchema(schema).ifExists().cascade().execute();
    }
    await database.close();
    await directory.remove();
  });
}

function storageIn(directory: string, openDatabase: OpenDatabase, remove: () => Promise<void>): Storage {
  const databases: Database<unknown>[] = [];
  let log: EventLog | undefined;
  return {
    get log() {
      log ??= createSqliteEventLog({ path: `${directory}/log.sqlite`, logger: silentLogger, pollMs: 0 });
      return log;
    },
    open<Tables>(name: string) {
      const database = openDatabase<Tables>(name);
      databases.push(database as Database<unknown>);
      return database;
    },
    reopened: () => storageIn(directory, openDatabase, async () => {}),
    async [Symbol.asyncDispose]() {
      await log?.close();
      await Promise.all(databases.map((database) => database.close()));
      await remove();
    },
  };
}

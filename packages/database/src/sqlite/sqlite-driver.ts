import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { createMutex } from './mutex.ts';
import { patiently } from './patience.ts';
import type { SqliteConnection, SqliteResult } from './sqlite-connection.ts';

export interface SqliteFile {
  readonly writer: SqliteConnection;
  /** Absent for a database in memory, which has only the one connection. */
  readonly reader?: SqliteConnection | undefined;
}

/** How long a write waits for another process's. */
const PATIENCE_MS = 5_000;

interface Session extends DatabaseConnection {
  /** Passes the writer on; set while a transaction is open. */
  release?: (() => void) | undefined;
}

/**
 * One writer, taken in turn by transactions and single writes; a second connection for reads outside transactions,
 * which in WAL mode wait for nobody and see what was committed.
 */
export function createSqliteDriver(file: SqliteFile): Driver {
  const writing = createMutex();
  const { writer, reader } = file;

  function createSession(): Session {
    const session: Session = {
      async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
        if (session.release) return toQueryResult(run(writer, query));
        if (reader && isRead(query)) return toQueryResult(run(reader, query));
        return alone(() => toQueryResult(run(writer, query)));
      },
      async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
        const connection = session.release ? writer : (reader ?? writer);
        for (const row of connection.iterate(query.sql, query.parameters)) yield { rows: [row as R] };
      },
    };
    return session;
  }

  async function alone<T>(work: () => T): Promise<T> {
    const release = await writing.acquire();
    try {
      return await patiently(work, PATIENCE_MS);
    } finally {
      release();
    }
  }

  async function beginTransaction(session: Session): Promise<void> {
    const release = await writing.acquire();
    try {
      // Not the deferred default: a read that turns into a write fails when another process wrote in between.
      await patiently(() => writer.execute('begin immediate', []), PATIENCE_MS);
      session.release = release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A commit that fails keeps the writer: Kysely rolls back after it. */
  async function commitTransaction(session: Session): Promise<void> {
    writer.execute('commit', []);
    leave(session);
  }

  async function rollbackTransaction(session: Session): Promise<void> {
    try {
      // SQLite may have rolled back by itself (disk full, for one).
      if (writer.inTransaction) writer.execute('rollback', []);
    } finally {
      leave(session);
    }
  }

  function leave(session: Session): void {
    session.release?.();
    session.release = undefined;
  }

  return {
    init: async () => {},
    acquireConnection: async () => createSession(),
    beginTransaction,
    commitTransaction,
    rollbackTransaction,
    releaseConnection: async () => {},
    destroy: () =>
      alone(() => {
        reader?.close();
        writer.close();
      }),
  };
}

function run(connection: SqliteConnection, query: CompiledQuery): SqliteResult {
  return connection.execute(query.sql, query.parameters);
}

function isRead(query: CompiledQuery): boolean {
  return query.query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(query.sql);
}

function toQueryResult<R>({ rows, changes, lastInsertRowid }: SqliteResult): QueryResult<R> {
  if (changes === undefined || lastInsertRowid === undefined) return { rows: rows as R[] };
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}

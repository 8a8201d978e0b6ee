import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { retryWhileBusy } from './busy-retry.ts';
import { Mutex } from './mutex.ts';
import type { SqliteConnection, SqliteResult } from './sqlite-connection.ts';

export interface SqliteFile {
  readonly writer: SqliteConnection;
  /** Absent for an in-memory database, which has one connection only. */
  readonly reader?: SqliteConnection | undefined;
}

/** How long a write waits for a write of another process. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Kysely driver with one writer, which transactions and single writes use in turn, and a second connection for reads
 * outside transactions. In WAL mode these reads wait for no writer and see committed data only.
 */
export class SqliteDriver implements Driver {
  readonly #file: SqliteFile;
  readonly #writerMutex = new Mutex();

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteSession(this.#file, (work) => this.#write(work));
  }

  async beginTransaction(session: SqliteSession): Promise<void> {
    const release = await this.#writerMutex.acquire();
    try {
      // Not the deferred default: a read that becomes a write fails when another process wrote in between.
      await retryWhileBusy(() => this.#file.writer.execute('begin immediate', []), BUSY_TIMEOUT_MS);
      session.enterTransaction(release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A failed commit keeps the writer: Kysely calls `rollbackTransaction` next. */
  async commitTransaction(session: SqliteSession): Promise<void> {
    this.#file.writer.execute('commit', []);
    session.leaveTransaction();
  }

  async rollbackTransaction(session: SqliteSession): Promise<void> {
    try {
      // SQLite may have rolled back on its own, for example when the disk is full.
      if (this.#file.writer.inTransaction) this.#file.writer.execute('rollback', []);
    } finally {
      session.leaveTransaction();
    }
  }

  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.#write(() => {
      this.#file.reader?.close();
      this.#file.writer.close();
    });
  }

  /** Runs the work while no transaction uses the writer. */
  async #write<T>(work: () => T): Promise<T> {
    const release = await this.#writerMutex.acquire();
    try {
      return await retryWhileBusy(work, BUSY_TIMEOUT_MS);
    } finally {
      release();
    }
  }
}

/** The connection that Kysely uses for one query or one transaction. */
class SqliteSession implements DatabaseConnection {
  readonly #file: SqliteFile;
  readonly #write: <T>(work: () => T) => Promise<T>;
  /** Releases the writer. Set while a transaction is open. */
  #release: (() => void) | undefined;

  constructor(file: SqliteFile, write: <T>(work: () => T) => Promise<T>) {
    this.#file = file;
    this.#write = write;
  }

  enterTransaction(release: () => void): void {
    this.#release = release;
  }

  leaveTransaction(): void {
    this.#release?.();
    this.#release = undefined;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { writer, reader } = this.#file;
    if (this.#release) return execute(writer, query);
    if (reader && isRead(query)) return execute(reader, query);
    return this.#write(() => execute(writer, query));
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { writer, reader } = this.#file;
    const connection = this.#release ? writer : (reader ?? writer);
    for (const row of connection.iterate(sql, parameters)) yield { rows: [row as R] };
  }
}

function isRead(query: CompiledQuery): boolean {
  return query.query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(query.sql);
}

function execute<R>(connection: SqliteConnection, query: CompiledQuery): QueryResult<R> {
  return toQueryResult(connection.execute(query.sql, query.parameters));
}

function toQueryResult<R>({ rows, changes, lastInsertRowid }: SqliteResult): QueryResult<R> {
  if (changes === undefined || lastInsertRowid === undefined) return { rows: rows as R[] };
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}

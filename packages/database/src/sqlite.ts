import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { TidegateError } from '@tidegate/core';
import { makePrivateFile } from '@tidegate/runtime/private-file';
import { silentLogger, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import { Kysely } from 'kysely';
import { countErrors } from './count-errors.ts';
import type { Database } from './database.ts';
import { InProcessSignals } from './in-process-signals.ts';
import { KyselyDatabase } from './kysely-database.ts';
import { FileLocks } from './sqlite/file-locks.ts';
import type { SqliteConnection, SqliteResult } from './sqlite/sqlite-connection.ts';
import { createSqliteDialect } from './sqlite/sqlite-dialect.ts';
import { TransactionScope } from './transaction-scope.ts';
import { withDriverHooks } from './translating-dialect.ts';

export interface SqliteDatabaseOptions {
  /** Path of the file, created with its folder when missing. `:memory:` for a database without a file. */
  readonly path: string;
  /** Default: no log. */
  readonly logger?: Logger;
  /** Counts errors in `tidegate_database_errors_total`. Default: they are not counted. */
  readonly metrics?: Metrics;
  /**
   * Failure that a committed transaction survives. 'process': `kill -9` of every process (WAL with synchronous=NORMAL:
   * the kernel holds the commit). 'power': also a crash of the machine (synchronous=FULL: one fsync per commit).
   * Measured for a transaction of four statements on a busy virtual disk: p50 0.11 ms against 4 ms. Default 'process'.
   */
  readonly durability?: 'process' | 'power';
}

/** Opening waits this long for another process that recovers the file's WAL after a crash. */
const OPEN_TIMEOUT_MS = 5_000;
/** Short, because SQLite's own wait blocks the event loop. The driver then retries without blocking. */
const BUSY_TIMEOUT_MS = 5;
/** Result code SQLITE_NOTADB. */
const NOT_A_DATABASE = 26;
const MAX_CACHED_STATEMENTS = 500;
const MAX_WAL_BYTES = 64 * 1024 * 1024;

/**
 * Creates the embedded database: one SQLite file, or memory.
 *
 * @throws TidegateError CONFIG_INVALID when the file is not a database, UNAVAILABLE when it cannot be opened.
 *
 * @example
 * const database = createSqliteDatabase<OutboxTables>({ path: 'data/service.db' });
 * await database.migrate(outboxMigrations);
 */
export function createSqliteDatabase<Tables>(options: SqliteDatabaseOptions): Database<Tables> {
  const scope = new TransactionScope();
  const inMemory = options.path === ':memory:';
  const writer = translatingErrors(() => requireDatabase(options.path, () => openWriter(options)));
  const reader = inMemory ? undefined : translatingErrors(() => openReader(options.path));
  const dialect = withDriverHooks(createSqliteDialect({ writer, reader }), {
    translateError: countErrors(translateError, options.metrics),
    beforeAcquire: () => scope.assertOutside(),
  });
  const locks = new FileLocks(inMemory ? undefined : options.path, openLockFile);
  return new KyselyDatabase<Tables>({
    dialect: 'sqlite',
    kysely: new Kysely<Tables>({ dialect }),
    scope,
    logger: options.logger ?? silentLogger,
    tryLock: async (name) => translatingErrors(() => locks.tryLock(name)),
    signals: new InProcessSignals(),
    release: async () => locks.releaseAll(),
    closeConnections: async () => {
      reader?.close();
      writer.close();
    },
  });
}

function openWriter({ path, durability }: SqliteDatabaseOptions): SqliteConnection {
  if (path !== ':memory:') makePrivateFile(path);
  const database = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS, enableForeignKeyConstraints: true });
  const synchronous = durability === 'power' ? 'FULL' : 'NORMAL';
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = ${MAX_WAL_BYTES};
     PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
  );
  return new NodeSqliteConnection(database);
}

/** @throws TidegateError CONFIG_INVALID when the file is not a database. */
function requireDatabase<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if ((error as { errcode?: unknown }).errcode !== NOT_A_DATABASE) throw error;
    throw new TidegateError(
      'CONFIG_INVALID',
      `${path} is not a SQLite database; move it away, or name another file`,
      { cause: error },
    );
  }
}

function openReader(path: string): SqliteConnection {
  return new NodeSqliteConnection(new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: true }));
}

/**
 * Locks a file of its own, created when missing, against other processes. Returns the release function, or undefined when
 * another process holds the lock. The lock is an exclusive transaction: the kernel releases it when the process ends.
 */
export function openLockFile(path: string): (() => void) | undefined {
  makePrivateFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return () => database.close();
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

interface PreparedStatement {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

class NodeSqliteConnection implements SqliteConnection {
  readonly #database: DatabaseSync;
  /** Ordered from the least to the most recently used. */
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  execute(sql: string, parameters: readonly unknown[]): SqliteResult {
    const { statement, returnsRows } = this.#prepare(sql);
    const values = parameters.map(toInputValue);
    return returnsRows ? { rows: statement.all(...values) } : { rows: [], ...statement.run(...values) };
  }

  /** Not cached: an iteration in progress would be reset by the next use of its statement. */
  iterate(sql: string, parameters: readonly unknown[]): Iterable<unknown> {
    return this.#database.prepare(sql).iterate(...parameters.map(toInputValue));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Evicts the least recently used statement: lists of varying length produce an unbounded number of texts. */
  #prepare(sql: string): PreparedStatement {
    const prepared = this.#statements.get(sql) ?? prepare(this.#database, sql);
    this.#statements.delete(sql);
    this.#statements.set(sql, prepared);
    if (this.#statements.size > MAX_CACHED_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    return prepared;
  }
}

function prepare(database: DatabaseSync, sql: string): PreparedStatement {
  const statement = database.prepare(sql);
  return { statement, returnsRows: statement.columns().length > 0 };
}

function toInputValue(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return (value ?? null) as SQLInputValue;
}

/** SQLITE_READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB: errors of the file, not of the statement. */
const fileErrors = new Set([8, 10, 11, 13, 14, 26]);

function translateError(error: unknown): unknown {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  const closed = code === 'ERR_INVALID_STATE' || /driver has already been destroyed/.test(String(error));
  return closed || (typeof errcode === 'number' && fileErrors.has(errcode & 0xff))
    ? unavailable(error)
    : error;
}

/** Runs work outside the driver, where every error concerns the file. */
function translatingErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof TidegateError ? error : unavailable(error);
  }
}

function unavailable(error: unknown): TidegateError {
  return new TidegateError('UNAVAILABLE', "The database's file cannot be used.", { cause: error });
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown }).errcode === 5;
}

import type { Kysely, Transaction } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

/** Where a package works on tables that it shares with others it does not know: the caller's own `Tables` fits. */
// oxlint-disable-next-line typescript/no-explicit-any -- Kysely is invariant in its tables
export type Tables = any;

/**
 * The database port. Its comments are the contract: both adapters (`sqlite.ts`, `postgres.ts`) pass the one suite in
 * `conformance.ts`, whose titles are these sentences.
 *
 * Columns that work on both: text, integer/bigint (read as JS numbers; one that a number cannot hold rejects), JSON
 * as text, times as integer epoch ms or ISO text. `.forUpdate()` may be used everywhere: it locks rows on Postgres
 * and says nothing new on SQLite, where a transaction is alone in writing anyway.
 */
export interface Database<TheTables> {
  readonly dialect: Dialect;

  /**
   * Reads and single statements outside a transaction. Using it inside `transaction`'s work rejects with INTERNAL:
   * it would wait for a connection that the transaction itself keeps others from getting.
   */
  readonly query: Kysely<TheTables>;

  /**
   * One ACID transaction: all of it or nothing. Rejects with what `work` threw after rolling back. On Postgres it
   * runs at READ COMMITTED, so a value that is read and then written needs `.forUpdate()` or a guarded UPDATE.
   * Deadlocks and serialization failures are retried a few times, so `work` may run again: its effects belong in
   * the unit. UNAVAILABLE when the database cannot be reached; when that happens during COMMIT, nobody knows
   * whether it was committed.
   */
  transaction<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T>;

  /** Idempotent, ordered by name, all or nothing, safe when two processes start at once. */
  migrate(migrations: Migrations): Promise<void>;

  /**
   * Takes the lock if nobody holds it, in this process or another; undefined when somebody does. The database frees
   * it by itself when the holder dies.
   */
  tryLock(name: string): Promise<Lock | undefined>;

  readonly signals: Signals;

  /** Resolves when the database answers; rejects with UNAVAILABLE when it does not within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;

  /** Waits for running transactions, frees the locks, closes every connection. Idempotent. */
  close(): Promise<void>;
}

export interface UnitOfWork<TheTables> {
  readonly tx: Transaction<TheTables>;
  /** Runs once the transaction is durable, and never when it was rolled back. */
  readonly afterCommit: (hook: () => void) => void;
}

export type Migrations = Readonly<Record<string, Migration>>;

export interface Migration {
  up(db: Kysely<Tables>, dialect: Dialect): Promise<void>;
}

export interface Lock {
  /** Aborts when the lock can no longer be relied on: the connection that held it died. Stop at once. */
  readonly lost: AbortSignal;
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Wake-ups without content. They may be merged, and lost when a connection breaks (one comes after it is back): a
 * listener looks for itself, and polls slowly besides.
 */
export interface Signals {
  /** After the unit's commit (never after a rollback) wakes the channel's listeners, here and in other processes. */
  notify(unit: UnitOfWork<Tables>, channel: string): void;
  /** Calls `onSignal` from when it resolves until the returned function is called. */
  listen(channel: string, onSignal: () => void): Promise<() => Promise<void>>;
}

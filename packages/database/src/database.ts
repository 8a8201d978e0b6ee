import type { Kysely, Transaction } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

/** Tables of a caller that a package does not know. A `Database` of any tables is assignable to `Database<Tables>`. */
// oxlint-disable-next-line typescript/no-explicit-any -- Kysely is invariant in its tables
export type Tables = any;

/**
 * The database port. Its comments are the contract: both adapters (`sqlite.ts`, `postgres.ts`) pass the conformance
 * suite in `conformance.ts`, whose titles are these sentences.
 *
 * Portable column types: text, integer and bigint (read as JavaScript numbers; a value beyond the safe integers
 * rejects), JSON as text, times as integer epoch milliseconds or ISO text. `.forUpdate()` works on both: it locks rows
 * on Postgres and is omitted on SQLite, where only one transaction can write at a time.
 */
export interface Database<TheTables> {
  readonly dialect: Dialect;

  /**
   * For reads and single statements outside a transaction. Inside the work of `transaction` it rejects with INTERNAL:
   * it could wait for a connection that is free only after the transaction.
   */
  readonly query: Kysely<TheTables>;

  /**
   * Runs one ACID transaction. When `work` rejects, it rolls back and rejects with the same error. Postgres runs it at
   * READ COMMITTED, so a value that is read and then written needs `.forUpdate()` or a guarded UPDATE. Deadlocks and
   * serialization failures are retried up to 8 times, so `work` may run again: all its effects must be part of the unit.
   *
   * @throws TidegateError UNAVAILABLE when the database cannot be reached. During COMMIT the outcome is then unknown.
   */
  transaction<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T>;

  /**
   * Applies the migrations that are not applied yet, ordered by name, in one transaction. Idempotent, and safe when
   * several processes start at once.
   */
  migrate(migrations: Migrations): Promise<void>;

  /**
   * Takes the lock. Resolves with undefined when this or another process holds it. The database releases the lock when
   * its holder dies.
   */
  tryLock(name: string): Promise<Lock | undefined>;

  readonly signals: Signals;

  /** Resolves when the database answers. Rejects with UNAVAILABLE after `timeoutMs` milliseconds. */
  ping(timeoutMs: number): Promise<void>;

  /** Waits for running transactions, then releases the locks and closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** One running transaction. */
export interface UnitOfWork<TheTables> {
  readonly tx: Transaction<TheTables>;
  /** Adds a hook that runs after the commit, and never after a rollback. An error of the hook is logged. */
  readonly afterCommit: (hook: () => void) => void;
}

/** Migrations by name. Names are unique in a schema and sort in the order of application, for example `0001-outbox`. */
export type Migrations = Readonly<Record<string, Migration>>;

export interface Migration {
  up(db: Kysely<Tables>, dialect: Dialect): Promise<void>;
}

/** A held lock. */
export interface Lock {
  /** Aborts when the lock is lost because its connection ended. The holder must stop its work at once. */
  readonly lost: AbortSignal;
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Wake-ups without content. Several may be merged into one. A broken connection may lose some; one follows after it is
 * restored. A listener therefore reads the state itself, and also polls at a slow interval.
 */
export interface Signals {
  /** Wakes the channel's listeners in every process after the unit's commit, and never after a rollback. */
  notify(unit: UnitOfWork<Tables>, channel: string): void;
  /** Resolves when listening has begun. Resolves with a function that ends it. */
  listen(channel: string, onSignal: () => void): Promise<() => Promise<void>>;
}

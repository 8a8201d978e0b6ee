import { TidegateError } from '@tidegate/core';
import { retry, withDeadline } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { sql, type Kysely, type Transaction } from 'kysely';
import { isLostConnection, isSerializationFailure } from './database-errors.ts';
import type { Database, Dialect, Lock, Migrations, Signals, UnitOfWork } from './database.ts';
import { applyMigrations } from './migrate.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** The parts of a database that differ between the dialects. */
export interface Engine<TheTables> extends Pick<Database<TheTables>, 'dialect' | 'tryLock' | 'signals'> {
  readonly kysely: Kysely<TheTables>;
  readonly scope: TransactionScope;
  readonly logger: Logger;
  /** Releases locks and stops listening. Called once, before Kysely is destroyed. */
  release(): Promise<void>;
  /** Closes connections that Kysely never used and so leaves open. Called once, after Kysely is destroyed. */
  closeConnections(): Promise<void>;
}

/** Conflicting transactions would collide again; jitter spreads them out. */
const transactionRetry = {
  attempts: 8,
  firstMs: 5,
  maxMs: 250,
  retryable: (error: unknown) => isSerializationFailure(error) || error instanceof LostConnection,
};

/** A transaction that lost its connection before its commit was sent: it had no effect. */
class LostConnection extends Error {}

/** The database port on Kysely, for every dialect. */
export class KyselyDatabase<TheTables> implements Database<TheTables> {
  readonly dialect: Dialect;
  readonly query: Kysely<TheTables>;
  readonly signals: Signals;
  readonly #engine: Engine<TheTables>;
  #closed: Promise<void> | undefined;

  constructor(engine: Engine<TheTables>) {
    this.#engine = engine;
    this.dialect = engine.dialect;
    this.query = engine.kysely;
    this.signals = engine.signals;
  }

  async transaction<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T> {
    this.#engine.scope.assertOutside();
    this.#assertOpen();
    try {
      return await retry(() => this.#attempt(work), transactionRetry);
    } catch (error) {
      throw error instanceof LostConnection ? error.cause : error;
    }
  }

  migrate(migrations: Migrations): Promise<void> {
    return this.transaction((unit) => applyMigrations(unit.tx, this.dialect, migrations));
  }

  tryLock(name: string): Promise<Lock | undefined> {
    return this.#engine.tryLock(name);
  }

  async ping(timeoutMs: number): Promise<void> {
    this.#assertOpen();
    try {
      await withDeadline(timeoutMs, undefined, () => sql`select 1`.execute(this.query));
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === 'DEADLINE_EXCEEDED')) throw error;
      throw new TidegateError('UNAVAILABLE', `The database did not answer within ${timeoutMs} ms.`);
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#engine.release();
    await this.query.destroy();
    await this.#engine.closeConnections();
  }

  async #attempt<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T> {
    const hooks: (() => void)[] = [];
    const { scope } = this.#engine;
    const run = async (tx: Transaction<TheTables>): Promise<T> => {
      try {
        return await scope.run(() => work({ tx, afterCommit: (hook) => void hooks.push(hook) }));
      } catch (error) {
        if (isLostConnection(error)) throw new LostConnection('', { cause: error });
        throw error;
      }
    };
    const result = await this.query.transaction().execute(run);
    for (const hook of hooks) this.#runHook(hook);
    return result;
  }

  /** Never throws: the transaction is committed, so a failed hook must not reject it. */
  #runHook(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#engine.logger.error({ err: error }, 'a hook failed after its transaction had been committed');
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new TidegateError('UNAVAILABLE', 'The database was closed.');
  }
}

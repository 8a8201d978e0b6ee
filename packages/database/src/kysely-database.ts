import { TidegateError } from '@tidegate/core';
import { delay, retry } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { sql, type Kysely } from 'kysely';
import { isSerializationFailure } from './database-errors.ts';
import type { Database, Migrations, UnitOfWork } from './database.ts';
import { applyMigrations } from './migrate.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** What differs between the dialects, for `createKyselyDatabase` to build the port from. */
export interface Engine<TheTables> extends Pick<Database<TheTables>, 'dialect' | 'tryLock' | 'signals'> {
  readonly kysely: Kysely<TheTables>;
  readonly scope: TransactionScope;
  readonly logger: Logger;
  /** Called once, before Kysely is destroyed: frees locks and stops listening. */
  release(): Promise<void>;
  /** Called once, after it: closes what Kysely left open because it had never been used. */
  closeConnections(): Promise<void>;
}

/** Contended transactions meet again; spreading them out is what lets one of them through. */
const conflictRetry = { attempts: 8, firstMs: 5, maxMs: 250, retryable: isSerializationFailure };

export function createKyselyDatabase<TheTables>(engine: Engine<TheTables>): Database<TheTables> {
  const { kysely, scope, logger, dialect } = engine;
  let closed: Promise<void> | undefined;

  async function attempt<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T> {
    const hooks: (() => void)[] = [];
    const result = await kysely
      .transaction()
      .execute((tx) => scope.run(() => work({ tx, afterCommit: (hook) => void hooks.push(hook) })));
    for (const hook of hooks) runHook(hook);
    return result;
  }

  /** It is committed: whatever a hook does, the caller must not be told otherwise. */
  function runHook(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      logger.error({ err: error }, 'a hook failed after its transaction had been committed');
    }
  }

  async function transaction<T>(work: (unit: UnitOfWork<TheTables>) => Promise<T>): Promise<T> {
    scope.assertOutside();
    assertOpen();
    return retry(() => attempt(work), conflictRetry);
  }

  function assertOpen(): void {
    if (closed) throw new TidegateError('UNAVAILABLE', 'The database was closed.');
  }

  async function ping(timeoutMs: number): Promise<void> {
    assertOpen();
    await within(timeoutMs, sql`select 1`.execute(kysely));
  }

  async function close(): Promise<void> {
    await engine.release();
    await kysely.destroy();
    await engine.closeConnections();
  }

  return {
    dialect,
    query: kysely,
    transaction,
    migrate: (migrations: Migrations) => transaction((unit) => applyMigrations(unit.tx, dialect, migrations)),
    tryLock: (name) => engine.tryLock(name),
    signals: engine.signals,
    ping,
    close: () => (closed ??= close()),
  };
}

/** @throws TidegateError UNAVAILABLE after `timeoutMs`. */
async function within(timeoutMs: number, answer: Promise<unknown>): Promise<void> {
  const waiting = new AbortController();
  const late = delay(timeoutMs, waiting.signal).then(() => {
    throw new TidegateError('UNAVAILABLE', `The database did not answer within ${timeoutMs} ms.`);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    waiting.abort();
    // Whichever lost must not surface as an unhandled rejection.
    await Promise.allSettled([late]);
    answer.catch(() => undefined);
  }
}

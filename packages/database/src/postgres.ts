import { TidegateError } from '@tidegate/core';
import { silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { withBorder } from './bordered-dialect.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './database-errors.ts';
import { createKyselyDatabase } from './kysely-database.ts';
import { createAdvisoryLocks } from './postgres/advisory-locks.ts';
import { translatePostgresError } from './postgres/postgres-errors.ts';
import { createPostgresSignals } from './postgres/postgres-signals.ts';
import { createSession, type SessionClient } from './postgres/session.ts';
import { createTransactionScope } from './transaction-scope.ts';

export interface PostgresDatabaseOptions {
  readonly url: string;
  /** The service's own Postgres schema, created when missing: letters, digits, `_` and `-`. */
  readonly schema: string;
  readonly logger?: Logger;
  /** Connections of the pool; one more is kept for locks and signals once those are used. Default 10. */
  readonly maxConnections?: number;
  /** Default 5,000; also how long a query waits for a free connection. */
  readonly connectTimeoutMs?: number;
  /** A statement that takes longer rejects with DEADLINE_EXCEEDED. Default 15,000. */
  readonly statementTimeoutMs?: number;
}

const SCHEMA = /^[a-z][a-z0-9_-]{0,40}$/;

/**
 * A service's schema on Postgres. Connects on first use, and again after Postgres was away.
 *
 * @throws TidegateError CONFIG_INVALID for a schema name that is not one.
 */
export function createPostgresDatabase<Tables>(options: PostgresDatabaseOptions): Database<Tables> {
  const { schema, logger = silentLogger } = options;
  if (!SCHEMA.test(schema)) {
    throw new TidegateError(
      'CONFIG_INVALID',
      `"${schema}" is not a schema name: it must match ${SCHEMA.source}`,
    );
  }
  const config = clientConfig(options);
  const pool = createPool(config, options.maxConnections ?? 10, logger);
  const scope = createTransactionScope();
  const ensureSchema = once(() => createSchema(config, schema));
  const dialect = withBorder(new PostgresDialect({ pool }), {
    translate: translatePostgresError,
    async beforeAcquire() {
      scope.assertOutside();
      await ensureSchema();
    },
  });
  const session = createSession({ connect: () => connectSession(config), logger });
  const locks = createAdvisoryLocks(session, schema);
  return createKyselyDatabase<Tables>({
    dialect: 'postgres',
    kysely: new Kysely<Tables>({ dialect }),
    scope,
    logger,
    tryLock: (name) => translating(() => locks.tryLock(name)),
    signals: createPostgresSignals(session, schema, logger),
    release: () => session.close(),
    async closeConnections() {
      if (!pool.ending) await pool.end();
    },
  });
}

function clientConfig(options: PostgresDatabaseOptions): pg.ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  return {
    connectionString: options.url,
    options: `-c search_path="${options.schema}"`,
    application_name: `tidegate ${options.schema}`,
    types: { getTypeParser },
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    // The server ends a statement in time; when the server itself is silent, this does.
    query_timeout: statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  };
}

function createPool(config: pg.ClientConfig, max: number, logger: Logger): pg.Pool {
  const pool = new pg.Pool({ ...config, max });
  pool.on('error', (error) => logger.warn({ err: error }, 'Postgres: an idle connection was lost'));
  // A client that is checked out and not querying has no other listener; its 'error' would end the process.
  pool.on('connect', (client) => {
    client.on('error', (error) => logger.debug({ err: error }, 'Postgres: a connection was lost'));
  });
  return pool;
}

/** https://github.com/postgres/postgres/blob/REL_17_STABLE/src/include/catalog/pg_type.dat */
const INT8 = 20;
const NUMERIC = 1700;

/** Counts and bigints are numbers, as SQLite reads them; so are sums of bigints, which Postgres calls numeric. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: unknown) => {
  if ((oid === INT8 || oid === NUMERIC) && format !== 'binary') return toNumber as never;
  return pg.types.getTypeParser(oid, format as 'text') as never;
};

function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new RangeError(`${text} is too large for a JavaScript number`);
  }
  return value;
}

async function connectSession(config: pg.ClientConfig): Promise<SessionClient> {
  const client = new pg.Client(config);
  const gone = Promise.withResolvers<void>();
  client.on('error', () => gone.resolve());
  client.on('end', () => gone.resolve());
  await client.connect();
  const backend = (client as unknown as { processID: number }).processID;
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    onGone: (listener) => void gone.promise.then(listener),
    onNotification: (listener) =>
      void client.on('notification', ({ channel, processId }) => listener(channel, processId === backend)),
    async end() {
      gone.resolve();
      await client.end();
    },
  };
}

/** Looks first: a role that may not create schemas can still use one that is there. */
async function createSchema(config: pg.ClientConfig, schema: string): Promise<void> {
  const client = new pg.Client(config);
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
    if (rows.length === 0) await client.query(`create schema if not exists "${schema}"`);
  } catch (error) {
    // IF NOT EXISTS does not help against another process that creates it in the same moment.
    if (!isUniqueViolation(error) && (error as { code?: unknown }).code !== '42P06') {
      throw translatePostgresError(error);
    }
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** Remembers the success, not a failure. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translatePostgresError(error);
  }
}

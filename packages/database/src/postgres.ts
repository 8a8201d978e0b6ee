import { TidegateError } from '@tidegate/core';
import { silentLogger, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { countErrors } from './count-errors.ts';
import type { Database } from './database.ts';
import { KyselyDatabase } from './kysely-database.ts';
import { AdvisoryLocks } from './postgres/advisory-locks.ts';
import { ensureSchema, inSchema } from './postgres/connection-schema.ts';
import { endsConnection, translatePostgresError } from './postgres/postgres-errors.ts';
import { PostgresSignals } from './postgres/postgres-signals.ts';
import { Session, type SessionClient } from './postgres/session.ts';
import { TransactionScope } from './transaction-scope.ts';
import { withDriverHooks } from './translating-dialect.ts';

export { postgresOptionsFrom, postgresSettings, type PostgresSettings } from './postgres/settings.ts';

export interface PostgresDatabaseOptions {
  /** Connection string, for example `postgres://user:password@127.0.0.1:5432/database`. */
  readonly url: string;
  /** Postgres schema of the service, created when missing. Lower-case letters, digits, `_` and `-`. */
  readonly schema: string;
  /** Default: no log. */
  readonly logger?: Logger;
  /** Counts errors in `tidegate_database_errors_total`. Default: they are not counted. */
  readonly metrics?: Metrics;
  /** Maximum connections of the pool. Locks and signals share one more connection. Default 10. */
  readonly maxConnections?: number;
  /** Maximum time in milliseconds to connect, or to wait for a free connection of the pool. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Time in milliseconds after which a statement rejects with DEADLINE_EXCEEDED. Default 15,000. */
  readonly statementTimeoutMs?: number;
}

const SCHEMA = /^[a-z][a-z0-9_-]{0,40}$/;

/**
 * Creates the database of a service, in a Postgres schema of its own. Connects on first use and reconnects by itself.
 *
 * @throws TidegateError CONFIG_INVALID when `schema` is not a valid name.
 *
 * @example
 * const database = createPostgresDatabase<OutboxTables>({
 *   url: 'postgres://tidegate@127.0.0.1:5432/tidegate',
 *   schema: 'counters',
 * });
 * await database.migrate(outboxMigrations);
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
  const scope = new TransactionScope();
  const requireSchema = once(() => ensureSchema(() => connectSession(config), schema));
  const dialect = withDriverHooks(new PostgresDialect({ pool }), {
    translateError: countErrors(translatePostgresError, options.metrics),
    async beforeAcquire() {
      scope.assertOutside();
      await requireSchema();
    },
  });
  const session = new Session({ connect: () => connectSession(config), logger });
  const locks = new AdvisoryLocks(session, schema);
  return new KyselyDatabase<Tables>({
    dialect: 'postgres',
    kysely: new Kysely<Tables>({ dialect }),
    scope,
    logger,
    tryLock: (name) => translating(() => locks.tryLock(name)),
    signals: new PostgresSignals(session, schema, logger),
    release: () => session.close(),
    async closeConnections() {
      if (!pool.ending) await pool.end();
    },
  });
}

function clientConfig(options: PostgresDatabaseOptions): pg.ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  return {
    ...inSchema(options.url, options.schema),
    application_name: `tidegate ${options.schema}`,
    types: { getTypeParser },
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    // Two seconds after the server's own timeout, for a server that no longer responds.
    query_timeout: statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  };
}

function createPool(config: pg.ClientConfig, max: number, logger: Logger): pg.Pool {
  const pool = new pg.Pool({ ...config, max });
  pool.on('error', (error) => logger.warn({ err: error }, 'Postgres: an idle connection was lost'));
  // A checked-out client without a running query has no other listener; its 'error' would end the process.
  pool.on('connect', (client) => {
    client.on('error', (error) => logger.debug({ err: error }, 'Postgres: a connection was lost'));
  });
  discardUselessConnections(pool);
  return pool;
}

/**
 * A server that was demoted to a standby keeps its connections, and the pool would hand them out again and again. After
 * one of them has failed so, all that are as old are discarded; the next ones are to the server that the address leads
 * to now.
 */
function discardUselessConnections(pool: pg.Pool): void {
  let generation = 0;
  const generationOf = new WeakMap<pg.PoolClient, number>();
  const isUseless = (client: pg.PoolClient): boolean => generationOf.get(client)! < generation;
  pool.on('connect', (client) => {
    generationOf.set(client, generation);
    const query = client.query.bind(client) as (...parts: unknown[]) => unknown;
    const watched = (...parts: unknown[]): unknown => {
      const answer = query(...parts);
      if (answer instanceof Promise)
        answer.catch((error: unknown) => {
          if (endsConnection(error) && !isUseless(client)) generation += 1;
        });
      return answer;
    };
    Object.assign(client, { query: watched });
  });
  const connect = pool.connect.bind(pool);
  const connectWatched = async (): Promise<pg.PoolClient> => {
    for (;;) {
      const client = await connect();
      if (isUseless(client)) {
        client.release(true);
        continue;
      }
      const release = client.release.bind(client);
      client.release = (error) => release(error ?? isUseless(client));
      return client;
    }
  };
  Object.assign(pool, { connect: connectWatched });
}

/** https://github.com/postgres/postgres/blob/REL_17_STABLE/src/include/catalog/pg_type.dat */
const INT8 = 20;
const NUMERIC = 1700;

/** Parses bigints and counts as numbers, as SQLite does, and also sums of bigints, whose type is numeric. */
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
  const ended = Promise.withResolvers<void>();
  client.on('error', () => ended.resolve());
  client.on('end', () => ended.resolve());
  await client.connect();
  const backend = (client as unknown as { processID: number }).processID;
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    onEnd: (listener) => void ended.promise.then(listener),
    onNotification: (listener) =>
      void client.on('notification', ({ channel, processId }) => listener(channel, processId === backend)),
    async end() {
      ended.resolve();
      await client.end();
    },
  };
}

/** Runs the work until it has succeeded once. */
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

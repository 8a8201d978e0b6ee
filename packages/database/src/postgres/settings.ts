import { integer, url } from '@tidegate/runtime/config';
import type { z } from 'zod';

/** Environment variables of a process's Postgres. See `postgresOptionsFrom`. */
export const postgresSettings = {
  DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
  DATABASE_MAX_CONNECTIONS: integer(1, 1_000, 'connections of the pool').default(10),
  DATABASE_CONNECT_TIMEOUT_MS: integer(
    100,
    60_000,
    'milliseconds to connect, or to wait for a free connection',
  ).default(5_000),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 600_000, 'milliseconds of a statement').default(15_000),
};

/** Values of `postgresSettings`. */
export type PostgresSettings = z.infer<z.ZodObject<typeof postgresSettings>>;

/** Returns the options that the variables set. */
export function postgresOptionsFrom(config: PostgresSettings): {
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
} {
  return {
    url: config.DATABASE_URL,
    maxConnections: config.DATABASE_MAX_CONNECTIONS,
    connectTimeoutMs: config.DATABASE_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
  };
}

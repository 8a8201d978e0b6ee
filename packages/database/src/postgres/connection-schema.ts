import { TidegateError } from '@tidegate/core';
import { isUniqueViolation } from '../database-errors.ts';
import { translatePostgresError } from './postgres-errors.ts';
import type { SessionClient } from './session.ts';

const DUPLICATE_SCHEMA = '42P06';
/** PgBouncer's answer to a start-up parameter that it does not know; it has no SQLSTATE of its own. */
const REFUSED_PARAMETER = /unsupported startup parameter/i;

/**
 * Returns the connection string and the start-up parameter `options` that put a schema in front of every statement. The
 * `options` of the URL stay in force, except for its search path.
 */
export function inSchema(
  url: string,
  schema: string,
): { readonly connectionString: string; readonly options: string } {
  const searchPath = `-c search_path="${schema}"`;
  if (!URL.canParse(url)) return { connectionString: url, options: searchPath };
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  if (own === null) return { connectionString: url, options: searchPath };
  // `pg` would let the URL's replace ours.
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, options: `${own} ${searchPath}` };
}

/**
 * Creates the schema when it is missing. Checks first, so that a role without the right to create schemas can use an
 * existing one.
 *
 * @throws TidegateError CONFIG_INVALID when connections do not get the schema: statements would use tables of another.
 */
export async function ensureSchema(connect: () => Promise<SessionClient>, schema: string): Promise<void> {
  let client: SessionClient | undefined;
  try {
    client = await connect();
    const [found] = await client.query<{ path: string; exists: boolean }>(
      `select current_setting('search_path') as path,
        exists (select from pg_namespace where nspname = $1) as exists`,
      [schema],
    );
    if (found?.path !== `"${schema}"`) throw notInSchema(schema);
    if (!found.exists) await client.query(`create schema if not exists "${schema}"`);
  } catch (error) {
    if (REFUSED_PARAMETER.test(String(error))) throw notInSchema(schema, error);
    // IF NOT EXISTS still fails when another process creates the schema at the same moment.
    if (!isUniqueViolation(error) && (error as { code?: unknown }).code !== DUPLICATE_SCHEMA) {
      throw translatePostgresError(error);
    }
  } finally {
    void client?.end().catch(() => undefined);
  }
}

function notInSchema(schema: string, cause?: unknown): TidegateError {
  return new TidegateError(
    'CONFIG_INVALID',
    `Connections to Postgres do not get the schema "${schema}": a pooler drops or refuses start-up ` +
      'parameters. Connect to Postgres itself, or through a pooler in session mode that passes `options` on.',
    { cause },
  );
}

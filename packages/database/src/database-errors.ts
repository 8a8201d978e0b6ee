/** SQLite result codes (https://www.sqlite.org/rescode.html). An extended code has its primary code in the low byte. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_UNIQUE = 2067;
const SQLITE_PRIMARY_KEY = 1555;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES_UNIQUE = '23505';
const POSTGRES_RETRY = new Set(['40001', '40P01']);

/** Returns true for an error that a duplicate unique key or primary key caused. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = codesOf(error);
  return code === POSTGRES_UNIQUE || errcode === SQLITE_UNIQUE || errcode === SQLITE_PRIMARY_KEY;
}

/** Returns true for an error after which the whole transaction may succeed when retried. */
export function isSerializationFailure(error: unknown): boolean {
  const { code, errcode } = codesOf(error);
  if (typeof code === 'string' && POSTGRES_RETRY.has(code)) return true;
  return typeof errcode === 'number' && [SQLITE_BUSY, SQLITE_LOCKED].includes(errcode & 0xff);
}

function codesOf(error: unknown): { code?: unknown; errcode?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

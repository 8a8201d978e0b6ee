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

/** Errors that a lost connection caused, as callers get them. */
const lostConnections = new WeakSet<object>();

/** Marks a translated error as that of a lost connection, and returns it. */
export function markLostConnection<E extends object>(error: E): E {
  lostConnections.add(error);
  return error;
}

/** Returns true for an error that `markLostConnection` has marked. */
export function isLostConnection(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lostConnections.has(error);
}

/** SQLSTATE classes of a value that can never be stored: data exception, program limit exceeded. */
const REFUSED_CLASSES = ['22', '54'];
/** Integrity violations that no repeat and no other order of the same work explains: not null, check, exclusion. */
const REFUSED_STATES = new Set(['23502', '23514', '23P01']);
/** The same of SQLite: too big, type mismatch, and the constraints not null and check. */
const SQLITE_REFUSED = new Set([18, 20, 1299, 275]);

/** Returns true for an error that the values of a statement caused: the same values will be refused again. */
export function isValueRefusal(error: unknown): boolean {
  const { code, errcode } = codesOf(error);
  if (typeof code === 'string' && code.length === 5)
    return REFUSED_CLASSES.includes(code.slice(0, 2)) || REFUSED_STATES.has(code);
  return typeof errcode === 'number' && SQLITE_REFUSED.has(errcode);
}

function codesOf(error: unknown): { code?: unknown; errcode?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

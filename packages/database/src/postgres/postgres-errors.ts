import { TidegateError } from '@tidegate/core';

/** Node's codes for a server that cannot be reached or went away. */
const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);

/** Shutting down, crashed, starting up, too many connections. */
const serverAway = new Set(['57P01', '57P02', '57P03', '57P05', '53300']);

/** `pg` says these without a code. */
const connectionWords =
  /connection terminated|connection ended|timeout exceeded when trying to connect|client was closed|not queryable|after calling end|driver has already been destroyed|connection has been discarded|query read timeout/i;

/** The one border: unreachable is UNAVAILABLE, a statement out of time is DEADLINE_EXCEEDED, the rest stays. */
export function translatePostgresError(error: unknown): unknown {
  if (error instanceof TidegateError) return error;
  const { code } = error as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  if (code === '57014') {
    return new TidegateError('DEADLINE_EXCEEDED', 'The database took too long to answer.', { cause: error });
  }
  if (isAway(code, message)) {
    return new TidegateError('UNAVAILABLE', `The database cannot be reached: ${message || String(code)}.`, {
      cause: error,
    });
  }
  return error;
}

function isAway(code: unknown, message: string): boolean {
  if (typeof code === 'string') return network.has(code) || serverAway.has(code) || code.startsWith('08');
  return connectionWords.test(message);
}

import { TidegateError } from '@tidegate/core';
import { markLostConnection } from '../database-errors.ts';

/** Error codes of Node for an unreachable or disconnected server. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);

/** The server was demoted to a standby: its connections have to be given up, because the primary is another one. */
const READ_ONLY = '25006';
/** SQLSTATEs: admin shutdown, crash shutdown, cannot connect now, idle session timeout, too many connections. */
const unavailableStates = new Set(['57P01', '57P02', '57P03', '57P05', '53300', READ_ONLY]);

/** Messages of `pg` errors that have no code. */
const connectionMessages =
  /connection terminated|connection ended|timeout exceeded when trying to connect|client was closed|not queryable|after calling end|driver has already been destroyed|connection has been discarded|query read timeout/i;

/**
 * Translates an unreachable server to UNAVAILABLE and a cancelled statement to DEADLINE_EXCEEDED. Other errors are
 * returned unchanged.
 */
export function translatePostgresError(error: unknown): unknown {
  if (error instanceof TidegateError) return error;
  const { code } = error as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  if (code === '57014') {
    return new TidegateError('DEADLINE_EXCEEDED', 'The database took too long to answer.', { cause: error });
  }
  if (isUnavailable(code, message)) {
    // The reason names hosts and databases: the cause is for the log, the message for callers.
    return markLostConnection(
      new TidegateError('UNAVAILABLE', 'The database cannot be reached.', { cause: error }),
    );
  }
  return error;
}

/** True for an error that makes a connection useless although its socket is open. */
export function endsConnection(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && (code === READ_ONLY || code.startsWith('57P') || code.startsWith('08'));
}

function isUnavailable(code: unknown, message: string): boolean {
  if (typeof code === 'string') {
    // Class 08: connection exception.
    return networkCodes.has(code) || unavailableStates.has(code) || code.startsWith('08');
  }
  return connectionMessages.test(message);
}

import { LiveClientError } from './live-client-error.ts';
import type { SessionEnd } from './sessions/session.ts';

/** How a client may reconnect after a close code. */
export type Reconnect = 'after-backoff' | 'with-new-token' | 'after-rate-limit' | 'never';

/**
 * Decides by ranges, so that future codes are understood: `never` for 44xx, `after-backoff` for every other code.
 * Exceptions: graphql-ws closes with 4499 when this client terminates the connection; 4500 is a fault that
 * reconnecting does not repair; after 1009 the same message would be too large again.
 */
export function reconnectAfter(closeCode: number | undefined): Reconnect {
  switch (closeCode) {
    case undefined:
    case 4408:
    case 4499:
      return 'after-backoff';
    case 4401:
      return 'with-new-token';
    case 4429:
      return 'after-rate-limit';
    case 1009:
    case 4500:
      return 'never';
    default:
      return closeCode >= 4400 && closeCode < 4500 ? 'never' : 'after-backoff';
  }
}

const errorCodes: Readonly<Record<number, string>> = {
  1009: 'PAYLOAD_TOO_LARGE',
  4401: 'UNAUTHENTICATED',
  4403: 'FORBIDDEN',
  4406: 'BAD_RESPONSE',
  4413: 'PAYLOAD_TOO_LARGE',
  4500: 'INTERNAL',
};

/** Returns the error of each subscription after the server closed the connection for good. */
export function refusal({ closeCode, reason }: SessionEnd): LiveClientError {
  return new LiveClientError(
    errorCodes[closeCode ?? 0] ?? 'BAD_REQUEST',
    `The server closed the connection for good: ${closeCode} ${reason ?? ''}`.trim(),
  );
}

import { LiveClientError } from './live-client-error.ts';
import type { SessionEnd } from './session.ts';

/** What a close code asks of the client. */
export type ComeBack = 'soon' | 'with-new-token' | 'after-a-while' | 'never';

/**
 * By ranges, so that codes to come are understood: 44xx never, whatever else soon. 4499 is this side's own word for
 * a connection it gave up, 4500 a fault that coming back does not mend, 1009 a message that would be as large again.
 */
export function comeBack(closeCode: number | undefined): ComeBack {
  switch (closeCode) {
    case undefined:
    case 4408:
    case 4499:
      return 'soon';
    case 4401:
      return 'with-new-token';
    case 4429:
      return 'after-a-while';
    case 1009:
    case 4500:
      return 'never';
    default:
      return closeCode >= 4400 && closeCode < 4500 ? 'never' : 'soon';
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

/** What a connection that was closed for good means for each of its subscriptions. */
export function refusal({ closeCode, reason }: SessionEnd): LiveClientError {
  return new LiveClientError(
    errorCodes[closeCode ?? 0] ?? 'BAD_REQUEST',
    `The server closed the connection for good: ${closeCode} ${reason ?? ''}`.trim(),
  );
}

import type { LiveClientError } from './live-client-error.ts';
import type { Phase } from './phase.ts';
import type { Result } from './result.ts';

/**
 * Reason why earlier and later results do not join without a gap: the gateway refused the cursor, a version is missing
 * (`VERSION_GAP`), or the connection ended before the first cursor arrived (`NO_CURSOR`).
 */
export type ResetReason =
  | 'CURSOR_EXPIRED'
  | 'CURSOR_INVALID'
  | 'CURSOR_FOREIGN'
  | 'VERSION_GAP'
  | 'NO_CURSOR';

export interface SubscribeRequest<Data> {
  /** GraphQL document with one subscription. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Receives results in order of version per key, none missing and none twice, until `onReset`. */
  readonly onResult: (result: Result<Data>) => void;
  /** The subscription has ended with an error that no retry repairs. */
  readonly onError?: (error: LiveClientError) => void;
  /** The server has ended the subscription normally. */
  readonly onComplete?: () => void;
  /**
   * Changes may have been missed: load the state again. Called once results arrive again, so that no change falls
   * between the loaded state and the next result.
   */
  readonly onReset?: (reason: ResetReason) => void;
  readonly onPhase?: (phase: Phase) => void;
}

export interface QueryRequest {
  /** GraphQL document with one query or mutation. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Aborts the request; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

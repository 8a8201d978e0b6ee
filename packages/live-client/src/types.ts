import type { LiveClientError } from './live-client-error.ts';

/**
 * `connecting`: a connection is being made. `live`: what happens is seen at once. `catching-up`: connected again,
 * and what was missed is arriving. `offline`: no connection; the next try comes by itself, `retryInMs` says when.
 */
export type Phase = 'connecting' | 'live' | 'catching-up' | 'offline';

export interface PhaseDetails {
  /** Until the next try; present while offline, absent when there will be none. */
  readonly retryInMs?: number;
  /** The WebSocket close code that ended the connection, when there was one. */
  readonly closeCode?: number;
  readonly reason?: string;
}

/**
 * Resolves with a bearer token, or '' for an anonymous viewer. `refresh`: the last one was refused or is about to
 * end, get another.
 */
export type TokenProvider = (options: { refresh: boolean }) => Promise<string>;

/** What a gateway says beside each result of a subscription. */
export interface ResultExtensions {
  readonly cursor?: string;
  readonly kind?: 'snapshot' | 'change';
  readonly key?: string;
  /** Dense per key: a newer state has a higher one. */
  readonly version?: number;
  /** The CloudEvents id, the same on every way out. */
  readonly id?: string;
  /** How many messages were left out before this one: the connection was too slow for them. */
  readonly dropped?: number;
  readonly [name: string]: unknown;
}

export interface GraphQLErrorLike {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** One GraphQL result. `data` and `errors` may both be there: a field failed and the rest is good. */
export interface Result<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphQLErrorLike[];
  readonly extensions?: ResultExtensions;
}

/**
 * Why what came before no longer joins with what comes now: the cursor was refused, a version is missing, or the
 * connection went away before the first cursor came.
 */
export type ResetReason =
  | 'CURSOR_EXPIRED'
  | 'CURSOR_INVALID'
  | 'CURSOR_FOREIGN'
  | 'VERSION_GAP'
  | 'NO_CURSOR';

export interface SubscribeRequest<Data> {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** In order per key, none missing and none twice, until `onReset` says otherwise. */
  readonly onResult: (result: Result<Data>) => void;
  /** The subscription has ended and will not come back. */
  readonly onError?: (error: LiveClientError) => void;
  /** The server has said all there is to say. */
  readonly onComplete?: () => void;
  /** Changes may have been missed: load the state again. Said when results go on, so that nothing falls between. */
  readonly onReset?: (reason: ResetReason) => void;
  readonly onPhase?: (phase: Phase) => void;
}

export interface QueryRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

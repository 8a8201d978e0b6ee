/**
 * State of the client or of one subscription.
 *
 * - `connecting`: the first connection is being made, or a subscription has not been accepted yet.
 * - `live`: changes arrive as they happen.
 * - `catching-up`: connected again; the missed changes are arriving.
 * - `offline`: no connection. The client reconnects by itself after `PhaseDetails.retryInMs`.
 */
export type Phase = 'connecting' | 'live' | 'catching-up' | 'offline';

export interface PhaseDetails {
  /**
   * Time to the next attempt, in milliseconds. Only while `offline`; absent when there is no further attempt before
   * `retryNow()`.
   */
  readonly retryInMs?: number;
  /** True while `offline` when the viewer has no valid token, and the subscriptions wait for one: see `signedOut`. */
  readonly signedOut?: boolean;
  /** WebSocket close code that ended the connection, if there was one. */
  readonly closeCode?: number;
  readonly reason?: string;
}

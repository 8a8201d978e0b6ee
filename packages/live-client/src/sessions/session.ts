import type { TokenProvider } from '../token-provider.ts';

/** Carries the subscriptions: `websocket` is preferred, `sse` is the fallback where upgrades do not get through. */
export type Transport = 'websocket' | 'sse';

/**
 * One connection to the gateway, from its opening to its end. A session never reconnects: the connection creates a new
 * one, and each subscription resumes on it with its own cursor.
 */
export interface Session {
  readonly transport: Transport;
  /** True once the gateway itself has answered. A failure before that is a fault of the network path. */
  readonly reachedServer: boolean;
  /** Returns an unsubscribe function; no handler is called after it. */
  subscribe(payload: SubscribePayload, handlers: SubscriptionHandlers): () => void;
  /** Ends the session at once, also when its socket no longer responds. */
  terminate(): void;
}

export interface SubscribePayload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly cursor?: string;
}

/** Receives the messages of one subscription. The end of the session goes to `SessionOptions.onEnd` alone. */
export interface SubscriptionHandlers {
  /** The server has accepted the subscription, as far as the transport can tell. */
  onAccepted(): void;
  onResult(result: unknown): void;
  /** Everything up to this cursor was sent, and the subscription is live. */
  onCursor(cursor: string): void;
  onErrors(errors: readonly unknown[]): void;
  onComplete(): void;
}

export interface SessionEnd {
  readonly closeCode?: number;
  readonly reason?: string;
  /** The token provider has no valid token. */
  readonly signedOut?: boolean;
}

export interface SessionOptions {
  readonly token: TokenProvider;
  /** Asks the provider for a new token: the server has refused the last one. */
  readonly refreshToken: boolean;
  /** Time limit from the first byte to the acknowledgement, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The session accepts subscriptions from now on. */
  readonly onReady: () => void;
  /** Called exactly once. */
  readonly onEnd: (end: SessionEnd) => void;
}

/** Creates a session of one transport; the connection adds its own part of the options. */
export type CreateSession = (options: Pick<SessionOptions, 'refreshToken' | 'onReady' | 'onEnd'>) => Session;

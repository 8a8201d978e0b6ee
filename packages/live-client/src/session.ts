import type { TokenProvider } from './types.ts';

/** What a session carries. `websocket` is preferred; `sse` where upgrades do not get through. */
export type Transport = 'websocket' | 'sse';

/** One way to the server from its opening to its end. It never comes back: a new one is made, by who knows the cursors. */
export interface Session {
  readonly transport: Transport;
  /** True once the server itself was heard over it: what fails before that is the way, not the request. */
  readonly opened: boolean;
  /** Hears nothing of this subscription any more once the returned function was called. */
  subscribe(payload: SubscribePayload, sink: SessionSink): () => void;
  /** Ends it now, even when the socket is frozen. */
  terminate(): void;
}

export interface SubscribePayload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly cursor?: string;
}

/** What a subscription hears. The session's own end is not told here but by `onEnd`. */
export interface SessionSink {
  next(result: unknown): void;
  /** Everything up to here was sent, and the subscription is live. */
  position(cursor: string): void;
  /** The server has accepted the subscription, as far as can be told. */
  accepted(): void;
  error(errors: readonly unknown[]): void;
  complete(): void;
}

export interface SessionEnd {
  readonly closeCode?: number;
  readonly reason?: string;
}

export interface SessionOptions {
  readonly token: TokenProvider;
  readonly refreshToken: boolean;
  /** From the first byte to the acknowledgement. */
  readonly connectTimeoutMs: number;
  /** A ping so often; twice as long without a word and the connection counts as dead. */
  readonly heartbeatMs: number;
  /** Subscriptions may be made from now on. */
  readonly onReady: () => void;
  /** Exactly once. */
  readonly onEnd: (end: SessionEnd) => void;
}

import { createClient, type FormattedExecutionResult, type SubscribePayload } from 'graphql-ws';
import type { TokenProvider } from './types.ts';

/** One WebSocket from its opening to its end. It never reconnects: a new one is made, by who knows the cursors. */
export interface Session {
  subscribe(payload: SubscribePayload, sink: SessionSink): () => void;
  /** Ends it now, even when the socket is frozen. */
  terminate(): void;
}

export interface SessionSink {
  next(result: FormattedExecutionResult<unknown, unknown>): void;
  /** What the server's `error` message carried. */
  error(errors: unknown): void;
  complete(): void;
}

export interface SessionEnd {
  readonly closeCode?: number;
  readonly reason?: string;
}

export interface SessionOptions {
  readonly webSocketUrl: string;
  readonly token: TokenProvider;
  readonly refreshToken: boolean;
  /** From the first byte to the acknowledgement. */
  readonly connectTimeoutMs: number;
  /** A ping after this much silence; as long again without a pong and the connection counts as dead. */
  readonly heartbeatMs: number;
  readonly webSocketImpl?: unknown;
  readonly onReady: () => void;
  /** Exactly once. */
  readonly onEnd: (end: SessionEnd) => void;
}

/**
 * Opens a connection by graphql-ws with its own retrying switched off: it would send each subscription again as it
 * was first sent, without the cursor. Even with `retryAttempts: 0` it does so after close code 1000, hence `dispose`
 * as soon as the socket closes.
 */
export function openSession(options: SessionOptions): Session {
  let ended = false;
  let pongTimer: ReturnType<typeof setTimeout> | undefined;

  const end = (how: unknown): void => {
    if (ended) return;
    ended = true;
    clearTimeout(connectTimer);
    clearTimeout(pongTimer);
    // Rejects when the connection never came to be, which is known already.
    Promise.resolve(client.dispose()).catch(() => {});
    options.onEnd(describeEnd(how));
  };

  const client = createClient({
    url: options.webSocketUrl,
    lazy: false,
    retryAttempts: 0,
    keepAlive: options.heartbeatMs,
    onNonLazyError: () => {},
    ...(options.webSocketImpl !== undefined && { webSocketImpl: options.webSocketImpl }),
    connectionParams: async () => {
      const token = await options.token({ refresh: options.refreshToken });
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    on: {
      connected: () => {
        clearTimeout(connectTimer);
        if (!ended) options.onReady();
      },
      ping: (received) => {
        if (received) return;
        clearTimeout(pongTimer);
        pongTimer = setTimeout(terminate, options.heartbeatMs);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
      closed: end,
      // A socket's error is always followed by its close, which knows more; a token that cannot be had is not.
      error: (error) => {
        if (error instanceof Error) end(error);
      },
    },
  });
  const terminate = (): void => client.terminate();
  const connectTimer = setTimeout(terminate, options.connectTimeoutMs);

  return {
    terminate,
    subscribe: (payload, sink) =>
      client.subscribe(payload, {
        next: (result) => {
          if (!ended) sink.next(result);
        },
        // graphql-ws reports the end of the connection to each sink as well; `onEnd` has told it once.
        error: (error) => {
          if (!ended && Array.isArray(error)) sink.error(error);
        },
        complete: () => {
          if (!ended) sink.complete();
        },
      }),
  };
}

function describeEnd(how: unknown): SessionEnd {
  if (how instanceof Error && !('code' in how)) return { reason: how.message };
  const { code, reason } = (how ?? {}) as { code?: unknown; reason?: unknown };
  return {
    ...(typeof code === 'number' && { closeCode: code }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
  };
}

import { createClient, type Client } from 'graphql-ws';
import type {
  Session,
  SessionEnd,
  SessionOptions,
  SubscribePayload,
  SubscriptionHandlers,
} from './session.ts';
import { TokenRenewal, tokenFailure } from './token-renewal.ts';

export interface WebSocketSessionOptions extends SessionOptions {
  readonly webSocketUrl: string;
  /** WebSocket class. Default: the global one. */
  readonly webSocketImpl?: unknown;
  /** Interval of pings, in milliseconds. A ping without any message until the next one ends the session. */
  readonly heartbeatMs: number;
}

/** Opens one WebSocket; all subscriptions share it. */
export function createWebSocketSession(options: WebSocketSessionOptions): Session {
  return new WebSocketSession(options);
}

/**
 * Uses graphql-ws with its own retries disabled: it would repeat each subscription without its cursor. After close
 * code 1000 it retries even with `retryAttempts: 0`, therefore the session disposes of the client as soon as the
 * socket closes.
 */
class WebSocketSession implements Session {
  readonly transport = 'websocket';
  readonly #options: WebSocketSessionOptions;
  readonly #handlers = new Map<string, SubscriptionHandlers>();
  readonly #renewal: TokenRenewal;
  readonly #client: Client;
  #reachedServer = false;
  #ended = false;
  #lastId = 0;
  #socket: WebSocket | undefined;
  /** A message has arrived since the last ping. */
  #heard = true;
  /** Limits the time to the acknowledgement, then sends the pings. */
  #timer: ReturnType<typeof setTimeout>;

  constructor(options: WebSocketSessionOptions) {
    this.#options = options;
    this.#renewal = new TokenRenewal({
      token: options.token,
      onRenewed: (token) => this.#presentToken(token),
    });
    this.#client = this.#createClient();
    this.#timer = setTimeout(() => this.terminate(), options.connectTimeoutMs);
  }

  get reachedServer(): boolean {
    return this.#reachedServer;
  }

  subscribe({ cursor, ...payload }: SubscribePayload, handlers: SubscriptionHandlers): () => void {
    const id = String((this.#lastId += 1));
    this.#handlers.set(id, handlers);
    const stop = this.#client.subscribe(
      { ...payload, ...(cursor !== undefined && { extensions: { cursor } }) },
      {
        next: (result) => this.#handlers.get(id)?.onResult(result),
        // graphql-ws also reports the end of the connection here; `onEnd` has reported it already.
        error: (error) => {
          if (Array.isArray(error)) this.#removeHandlers(id)?.onErrors(error);
        },
        complete: () => this.#removeHandlers(id)?.onComplete(),
      },
    );
    // The protocol has no message for it: a subscription counts as accepted until it is refused.
    handlers.onAccepted();
    return () => {
      this.#handlers.delete(id);
      stop();
    };
  }

  terminate(): void {
    this.#client.terminate();
  }

  #createClient(): Client {
    const { webSocketUrl, webSocketImpl } = this.#options;
    return createClient({
      url: webSocketUrl,
      lazy: false,
      retryAttempts: 0,
      // The automatic pong would send every cursor back to the server.
      disablePong: true,
      generateID: () => String(this.#lastId),
      onNonLazyError: () => {},
      ...(webSocketImpl !== undefined && { webSocketImpl }),
      connectionParams: () => this.#connectionParams(),
      on: {
        opened: (socket) => {
          this.#socket = socket as WebSocket;
        },
        connected: () => this.#acknowledged(),
        message: () => {
          this.#heard = true;
        },
        ping: (received, payload) => {
          if (received) this.#receivePing(payload);
        },
        pong: (received, payload) => {
          if (received) this.#receivePong(payload);
        },
        closed: (event) => this.#end(describeEnd(event)),
        // A close event follows each error of the socket and knows more. None follows a failed token.
        error: (error) => {
          if (error instanceof Error) this.#end(describeEnd(error));
        },
      },
    });
  }

  async #connectionParams(): Promise<Record<string, unknown>> {
    const token = await this.#renewal.start(this.#options.refreshToken).catch((error: unknown) => {
      // The WebSocket got through; only the token's issuer did not answer.
      this.#reachedServer = true;
      this.#end(tokenFailure(error));
      throw error;
    });
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  #acknowledged(): void {
    clearTimeout(this.#timer);
    this.#reachedServer = true;
    if (this.#ended) return;
    this.#timer = setTimeout(() => this.#beat(), this.#options.heartbeatMs);
    this.#options.onReady();
  }

  /**
   * Sends pings, and terminates the connection when nothing was heard since the last one. The time of a message does
   * not count: the timers of a hidden page run late, and its messages are handled before them. This also finds a socket
   * that hangs in its closing handshake.
   */
  #beat(): void {
    if (!this.#heard) return this.terminate();
    this.#heard = false;
    this.#send({ type: 'ping' });
    this.#timer = setTimeout(() => this.#beat(), this.#options.heartbeatMs);
  }

  #receivePing(payload: unknown): void {
    this.#send({ type: 'pong' });
    for (const [id, cursor] of parseCursors(payload)) this.#handlers.get(id)?.onCursor(cursor);
  }

  #receivePong(payload: unknown): void {
    const expiresAtMs = parseExpiry(payload);
    if (expiresAtMs !== undefined) this.#renewal.setExpiry(expiresAtMs);
  }

  #presentToken(token: string): void {
    this.#send({ type: 'ping', payload: { tidegate: { authorization: `Bearer ${token}` } } });
  }

  #send(message: object): void {
    const socket = this.#socket;
    if (!this.#ended && socket?.readyState === socket?.OPEN) socket?.send(JSON.stringify(message));
  }

  #removeHandlers(id: string): SubscriptionHandlers | undefined {
    const handlers = this.#handlers.get(id);
    this.#handlers.delete(id);
    return handlers;
  }

  #end(end: SessionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#renewal.stop();
    this.#handlers.clear();
    // Rejects when the connection was never made; `onEnd` reports that.
    Promise.resolve(this.#client.dispose()).catch(() => {});
    const { closeCode } = end;
    // Only a server that was reached closes with a code of the protocol.
    this.#reachedServer ||= closeCode !== undefined && closeCode >= 4400 && closeCode !== TERMINATED;
    this.#options.onEnd(end);
  }
}

/** Close code of graphql-ws for a connection that it was told to terminate. */
const TERMINATED = 4499;

function describeEnd(cause: unknown): SessionEnd {
  if (cause instanceof Error && !('code' in cause)) return { reason: cause.message };
  const { code, reason } = (cause ?? {}) as { code?: unknown; reason?: unknown };
  return {
    ...(typeof code === 'number' && { closeCode: code }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
  };
}

/** Payload that a gateway adds to `ping` and `pong`. */
interface TidegatePayload {
  readonly tidegate?: { readonly cursors?: unknown; readonly expiresAt?: unknown } | null;
}

function parseCursors(payload: unknown): [string, string][] {
  const cursors = (payload as TidegatePayload | undefined)?.tidegate?.cursors;
  if (typeof cursors !== 'object' || cursors === null) return [];
  return Object.entries(cursors).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function parseExpiry(payload: unknown): number | undefined {
  const expiresAt = (payload as TidegatePayload | undefined)?.tidegate?.expiresAt;
  const expiresAtMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN;
  return Number.isNaN(expiresAtMs) ? undefined : expiresAtMs;
}

import { createClient } from 'graphql-ws';
import type { Session, SessionEnd, SessionOptions, SessionSink } from './session.ts';
import { TokenRenewal, tokenExpiryMs } from './token-renewal.ts';

export interface WebSocketSessionOptions extends SessionOptions {
  readonly webSocketUrl: string;
  readonly webSocketImpl?: unknown;
}

/**
 * Opens a connection by graphql-ws with its own retrying switched off: it would send each subscription again as it
 * was first sent, without the cursor. Even with `retryAttempts: 0` it does so after close code 1000, hence `dispose`
 * as soon as the socket closes.
 */
export function openWebSocketSession(options: WebSocketSessionOptions): Session {
  const sinks = new Map<string, SessionSink>();
  let ended = false;
  let opened = false;
  let lastId = 0;
  let socket: WebSocket | undefined;
  let heardAtMs = 0;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;

  const send = (message: object): void => {
    if (!ended && socket?.readyState === socket?.OPEN) socket?.send(JSON.stringify(message));
  };
  const renewal = new TokenRenewal({
    token: options.token,
    present: (token) => send({ type: 'ping', payload: { tidegate: { authorization: `Bearer ${token}` } } }),
  });
  const end = (how: unknown): void => {
    if (ended) return;
    ended = true;
    clearTimeout(connectTimer);
    clearTimeout(silenceTimer);
    renewal.stop();
    sinks.clear();
    // Rejects when the connection never came to be, which is known already.
    Promise.resolve(client.dispose()).catch(() => {});
    const described = describeEnd(how);
    // A close code of the protocol can only come from a server that was reached.
    opened ||=
      described.closeCode !== undefined && described.closeCode >= 4400 && described.closeCode !== TERMINATED;
    options.onEnd(described);
  };
  /**
   * Pings go out every heartbeat, so this long without a word means that nobody is there. It is looked at from time to
   * time, not set anew with each message; and it also finds a socket that is stuck in its closing handshake, where no
   * ping goes out any more.
   */
  const listenForSilence = (): void => {
    const leftMs = heardAtMs + 2 * options.heartbeatMs - Date.now();
    if (leftMs > 0) silenceTimer = setTimeout(listenForSilence, leftMs);
    else terminate();
  };

  const client = createClient({
    url: options.webSocketUrl,
    lazy: false,
    retryAttempts: 0,
    keepAlive: options.heartbeatMs,
    // By itself it would send every cursor back with its pong.
    disablePong: true,
    generateID: () => String(lastId),
    onNonLazyError: () => {},
    ...(options.webSocketImpl !== undefined && { webSocketImpl: options.webSocketImpl }),
    connectionParams: async () => {
      const token = await options.token({ refresh: options.refreshToken }).catch((error: unknown) => {
        // It got through; it is the issuer of tokens that does not.
        opened = true;
        throw error;
      });
      renewal.expiresAt(tokenExpiryMs(token));
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    on: {
      opened: (made) => {
        socket = made as WebSocket;
      },
      connected: () => {
        clearTimeout(connectTimer);
        opened = true;
        if (ended) return;
        listenForSilence();
        options.onReady();
      },
      message: () => {
        heardAtMs = Date.now();
      },
      ping: (received, payload) => {
        if (!received) return;
        send({ type: 'pong' });
        for (const [id, cursor] of cursorsIn(payload)) sinks.get(id)?.position(cursor);
      },
      pong: (received, payload) => {
        if (!received) return;
        const expiresAtMs = expiryIn(payload);
        if (expiresAtMs !== undefined) renewal.expiresAt(expiresAtMs);
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
    transport: 'websocket',
    get opened() {
      return opened;
    },
    terminate,
    subscribe: ({ cursor, ...payload }, sink) => {
      const id = String((lastId += 1));
      sinks.set(id, sink);
      const stop = client.subscribe(
        { ...payload, ...(cursor !== undefined && { extensions: { cursor } }) },
        {
          next: (result) => sinks.get(id)?.next(result),
          // graphql-ws reports the end of the connection to each sink as well; `onEnd` has told it once.
          error: (error) => {
            if (Array.isArray(error)) take(id)?.error(error);
          },
          complete: () => take(id)?.complete(),
        },
      );
      // The protocol has no word for it: unless it is refused, it is accepted.
      sink.accepted();
      return () => {
        sinks.delete(id);
        stop();
      };
    },
  };

  function take(id: string): SessionSink | undefined {
    const sink = sinks.get(id);
    sinks.delete(id);
    return sink;
  }
}

/** graphql-ws's own word for a connection it was told to give up. */
const TERMINATED = 4499;

function describeEnd(how: unknown): SessionEnd {
  if (how instanceof Error && !('code' in how)) return { reason: how.message };
  const { code, reason } = (how ?? {}) as { code?: unknown; reason?: unknown };
  return {
    ...(typeof code === 'number' && { closeCode: code }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
  };
}

interface Additions {
  readonly tidegate?: { readonly cursors?: unknown; readonly expiresAt?: unknown } | null;
}

function cursorsIn(payload: unknown): [string, string][] {
  const cursors = (payload as Additions | undefined)?.tidegate?.cursors;
  if (typeof cursors !== 'object' || cursors === null) return [];
  return Object.entries(cursors).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function expiryIn(payload: unknown): number | undefined {
  const expiresAt = (payload as Additions | undefined)?.tidegate?.expiresAt;
  const expiresAtMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN;
  return Number.isNaN(expiresAtMs) ? undefined : expiresAtMs;
}

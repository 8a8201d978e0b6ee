import type { Session, SessionEnd, SessionOptions } from './session.ts';
import { SseStream } from './sse-stream.ts';
import { TokenRenewal, tokenExpiryMs } from './token-renewal.ts';

export interface SseSessionOptions extends SessionOptions {
  readonly httpUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Streams open at once; further subscriptions wait for one of them to end. */
  readonly maxStreams: number;
}

/**
 * Every subscription a stream of its own, all of one fate: the first that is cut ends the session, as with a
 * WebSocket, so that one backoff counts for all. A new token is shown by opening each stream again after its cursor.
 */
export function openSseSession(options: SseSessionOptions): Session {
  const running = new Set<SseStream>();
  const waiting = new Set<SseStream>();
  let token = '';
  let ended = false;
  let opened = false;

  const renewal = new TokenRenewal({
    token: options.token,
    present: (renewed) => {
      token = renewed;
      for (const stream of running) stream.restart();
    },
  });
  const end = (how: SessionEnd): void => {
    if (ended) return;
    ended = true;
    renewal.stop();
    for (const stream of running) stream.stop();
    running.clear();
    waiting.clear();
    options.onEnd(how);
  };
  const fill = (): void => {
    for (const stream of waiting) {
      if (running.size >= options.maxStreams) return;
      waiting.delete(stream);
      running.add(stream);
      stream.start();
    }
  };
  const remove = (stream: SseStream): void => {
    waiting.delete(stream);
    if (running.delete(stream)) fill();
  };

  options.token({ refresh: options.refreshToken }).then(
    (first) => {
      if (ended) return;
      token = first;
      renewal.expiresAt(tokenExpiryMs(first));
      options.onReady();
    },
    (error: unknown) => end({ reason: error instanceof Error ? error.message : String(error) }),
  );

  return {
    transport: 'sse',
    get opened() {
      return opened;
    },
    terminate: () => end({ reason: 'Terminated' }),
    subscribe(payload, sink) {
      const stream = new SseStream(payload, sink, {
        httpUrl: options.httpUrl,
        fetch: options.fetch,
        token: () => token,
        connectTimeoutMs: options.connectTimeoutMs,
        maxSilenceMs: 2 * options.heartbeatMs,
        onOpened: () => {
          opened = true;
        },
        onDone: () => remove(stream),
        onLost: end,
      });
      if (!ended) {
        waiting.add(stream);
        fill();
      }
      return () => {
        stream.stop();
        remove(stream);
      };
    },
  };
}

/**
 * Over HTTP/1.1 a browser opens six connections to one origin, and the seventh stream would stop queries and streams
 * alike without a word. Two are left free then.
 */
export function defaultMaxStreams(): number {
  const [page] = (globalThis.performance?.getEntriesByType?.('navigation') ?? []) as {
    nextHopProtocol?: string;
  }[];
  return page?.nextHopProtocol?.startsWith('http/1') ? 4 : 1_000;
}

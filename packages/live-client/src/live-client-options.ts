import type { Backoff } from './backoff.ts';
import type { Phase, PhaseDetails } from './phase.ts';
import type { TokenProvider } from './token-provider.ts';

export interface LiveClientOptions {
  /**
   * Address of one BFF, e.g. `https://edge.example/graphql/web` or, in a browser, the path `/graphql/web`. Queries use
   * HTTP and subscriptions WebSocket at the same address.
   */
  readonly url: string;
  /** Called for each connection and each query, and before the current token expires. */
  readonly token: TokenProvider;
  /** Called on each change of phase, and for each failed attempt while offline. */
  readonly onPhase?: (phase: Phase, details: PhaseDetails) => void;
  /** Waits between connection attempts, with full jitter. Default 500 ms, doubling up to 15 s. */
  readonly backoff?: Backoff;
  /**
   * Behaviour when the server refuses the refreshed token as well, or the token provider rejects with a LiveClientError
   * `UNAUTHENTICATED`. `fail`: every subscription ends with `UNAUTHENTICATED`. `wait`: the subscriptions are kept and
   * continue after `retryNow()`. Default `fail`.
   */
  readonly signedOut?: 'fail' | 'wait';
  /**
   * Interval of pings over WebSocket, in milliseconds. A ping without any message until the next one ends the
   * connection, so a dead connection is noticed within twice this time. Default 15,000.
   */
  readonly heartbeatMs?: number;
  /**
   * Time without a byte after which an event stream counts as dead, in milliseconds: longer than the server's
   * heartbeat. Default twice `heartbeatMs`.
   */
  readonly streamSilenceMs?: number;
  /** Time limit for a connection to be acknowledged, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Time without a result after which a subscription counts as live, in milliseconds, where the server does not send
   * the cursors of idle subscriptions. Default 400.
   */
  readonly settleMs?: number;
  /** Minimum wait after close code 4429 (rate limited), in milliseconds. Default 15,000. */
  readonly rateLimitRetryMs?: number;
  /**
   * Consecutive WebSocket failures after which the client falls back to event streams over HTTP. Default 3; 0 uses
   * event streams from the start, Infinity never.
   */
  readonly fallbackAfterFailures?: number;
  /**
   * First wait before the client, on event streams, attempts a WebSocket again, in milliseconds. The wait doubles up to
   * 16 times its length. Default 30,000; Infinity never attempts one.
   */
  readonly webSocketRetryMs?: number;
  /**
   * Event streams of the fallback: one for all subscriptions, or one for each. Over HTTP/1.1 a browser opens at most six
   * connections to one origin, so that a seventh stream would silently block queries and streams alike. Default 'shared'
   * on a page over HTTP/1, else 'each', which works behind any load balancer.
   */
  readonly streams?: 'shared' | 'each';
  /** Time limit for one query, in milliseconds. Default 20,000. */
  readonly queryTimeoutMs?: number;
  /** WebSocket class. Default: the global one. */
  readonly webSocketImpl?: unknown;
  /** Default: the global `fetch` at the time of each request. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Options with every default applied. */
export type LiveClientSettings = Required<Omit<LiveClientOptions, 'webSocketImpl'>> &
  Pick<LiveClientOptions, 'webSocketImpl'>;

/** Applies the defaults. Without any WebSocket class the client uses event streams only. */
export function withDefaults(options: LiveClientOptions): LiveClientSettings {
  const hasWebSocket = options.webSocketImpl !== undefined || globalThis.WebSocket !== undefined;
  return {
    url: options.url,
    token: options.token,
    onPhase: options.onPhase ?? (() => {}),
    backoff: options.backoff ?? { firstMs: 500, maxMs: 15_000 },
    signedOut: options.signedOut ?? 'fail',
    heartbeatMs: options.heartbeatMs ?? 15_000,
    streamSilenceMs: options.streamSilenceMs ?? 2 * (options.heartbeatMs ?? 15_000),
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    settleMs: options.settleMs ?? 400,
    rateLimitRetryMs: options.rateLimitRetryMs ?? 15_000,
    fallbackAfterFailures: hasWebSocket ? (options.fallbackAfterFailures ?? 3) : 0,
    webSocketRetryMs: hasWebSocket ? (options.webSocketRetryMs ?? 30_000) : Infinity,
    streams: options.streams ?? defaultStreams(),
    queryTimeoutMs: options.queryTimeoutMs ?? 20_000,
    webSocketImpl: options.webSocketImpl,
    fetch: (...request) => (options.fetch ?? globalThis.fetch)(...request),
  };
}

function defaultStreams(): 'shared' | 'each' {
  const [page] = (globalThis.performance?.getEntriesByType?.('navigation') ?? []) as {
    nextHopProtocol?: string;
  }[];
  return page?.nextHopProtocol?.startsWith('http/1') ? 'shared' : 'each';
}

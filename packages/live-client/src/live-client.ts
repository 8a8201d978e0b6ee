import type { Backoff } from './backoff.ts';
import { refusal } from './close-code.ts';
import { Connection } from './connection.ts';
import { endpoint } from './endpoint.ts';
import { LiveClientError } from './live-client-error.ts';
import { LiveSubscription } from './live-subscription.ts';
import { postQuery } from './post-query.ts';
import type { Session, Transport } from './session.ts';
import { defaultMaxStreams, openSseSession } from './sse-session.ts';
import type { Phase, PhaseDetails, QueryRequest, Result, SubscribeRequest, TokenProvider } from './types.ts';
import { openWebSocketSession } from './websocket-session.ts';

export interface LiveClientOptions {
  /** One BFF, e.g. `/graphql/web` or `https://shop.example/graphql/web`. */
  readonly url: string;
  /** Asked for each connection and each query, and before the end of the token in use. */
  readonly token: TokenProvider;
  readonly onPhase?: (phase: Phase, details: PhaseDetails) => void;
  /** Waits between connection attempts, full jitter. Default 500 ms to 15 s. */
  readonly backoff?: Backoff;
  /** A ping so often; twice as long without a word and the connection counts as dead. Default 15 s. */
  readonly heartbeatMs?: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Quiet that counts as live where the server does not say that it is. Default 400 ms. */
  readonly settleMs?: number;
  /** The least wait after a close code that says "too many". Default 15 s. */
  readonly afterAWhileMs?: number;
  /**
   * So many WebSockets in a row that could not be opened, and events are streamed over HTTP instead. Default 3; 0
   * streams from the start, Infinity never.
   */
  readonly fallbackAfter?: number;
  /** While events are streamed a WebSocket is tried again after this, then less and less often. Default 30 s. */
  readonly webSocketRetryMs?: number;
  /** Streams at once; further subscriptions wait. Default 4 on a page loaded over HTTP/1, otherwise 1,000. */
  readonly maxStreams?: number;
  /** For one query. Default 20 s. */
  readonly queryTimeoutMs?: number;
  readonly webSocketImpl?: unknown;
  readonly fetch?: typeof globalThis.fetch;
}

export interface LiveClient {
  readonly phase: Phase;
  /** What carries the subscriptions now; undefined while nothing does. */
  readonly transport: Transport | undefined;
  /** Results go to `onResult` until the returned function is called. The first subscription opens the connection. */
  subscribe<Data = unknown>(request: SubscribeRequest<Data>): () => void;
  /** A query or a mutation. @throws LiveClientError when there is no data. */
  query<Data = unknown>(request: QueryRequest): Promise<Result<Data>>;
  /** Ends the connection and every subscription, silently. */
  close(): void;
}

/**
 * One WebSocket for all subscriptions, made again as often as it takes, or event streams where none gets through;
 * queries by fetch. Browser and Node.
 */
export function createLiveClient(options: LiveClientOptions): LiveClient {
  const { httpUrl, webSocketUrl } = endpoint(options.url);
  const { token } = options;
  const backoff = options.backoff ?? { firstMs: 500, maxMs: 15_000 };
  const subscriptions = new Set<LiveSubscription<never>>();
  let session: Session | undefined;
  let closed = false;
  /** Set once no further attempt will be made: later subscriptions hear of it at once. */
  let finalError: LiveClientError | undefined;
  let phase: Phase | undefined;

  const enter = (next: Phase, details: PhaseDetails = {}): void => {
    if (closed || (phase === next && next !== 'offline')) return;
    phase = next;
    options.onPhase?.(phase, details);
  };
  const settle = (): void => {
    if (!session) return;
    const phases = [...subscriptions].map((each) => each.phase);
    if (phases.includes('catching-up')) enter('catching-up');
    // Nobody asked for anything yet is live as well: whatever is asked for will come.
    else if (phases.length === 0 || phases.includes('live')) enter('live');
    else enter('connecting');
  };
  const fetch: typeof globalThis.fetch = (...request) => (options.fetch ?? globalThis.fetch)(...request);
  const common = {
    token,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
  };
  const { webSocketImpl } = options;
  const hasWebSocket = webSocketImpl !== undefined || globalThis.WebSocket !== undefined;
  const maxStreams = options.maxStreams ?? defaultMaxStreams();

  const connection = new Connection({
    open: {
      websocket: (each) => openWebSocketSession({ ...common, webSocketUrl, webSocketImpl, ...each }),
      sse: (each) => openSseSession({ ...common, httpUrl, fetch, maxStreams, ...each }),
    },
    fallbackAfter: hasWebSocket ? (options.fallbackAfter ?? 3) : 0,
    webSocketRetryMs: hasWebSocket ? (options.webSocketRetryMs ?? 30_000) : Infinity,
    afterAWhileMs: options.afterAWhileMs ?? 15_000,
    backoff,
    onConnecting: () => enter('connecting'),
    onUp: (opened) => {
      session = opened;
      for (const subscription of subscriptions) subscription.attach(opened);
      settle();
    },
    onDown: (details) => {
      session = undefined;
      for (const subscription of subscriptions) subscription.detach('offline');
      enter('offline', details);
      if (details.retryInMs !== undefined) return;
      finalError = refusal(details);
      for (const subscription of subscriptions) subscription.fail(finalError);
    },
  });
  const hurry = (): void => connection.hurry();
  globalThis.addEventListener?.('online', hurry);

  return {
    get phase() {
      return phase ?? 'connecting';
    },
    get transport() {
      return session?.transport;
    },
    subscribe<Data>(request: SubscribeRequest<Data>) {
      const subscription = new LiveSubscription<Data>(request, {
        backoff,
        settleMs: options.settleMs ?? 400,
        onPhase: settle,
        onEnded: () => {
          subscriptions.delete(subscription);
          settle();
        },
      });
      subscriptions.add(subscription);
      const error = closed ? new LiveClientError('CLOSED', 'The live client is closed.') : finalError;
      if (error) queueMicrotask(() => subscription.fail(error));
      else if (session) subscription.attach(session);
      else connection.open();
      return () => subscription.unsubscribe();
    },
    query<Data>(request: QueryRequest): Promise<Result<Data>> {
      if (closed) return Promise.reject(new LiveClientError('CLOSED', 'The live client is closed.'));
      return postQuery<Data>({ httpUrl, token, timeoutMs: options.queryTimeoutMs ?? 20_000, fetch }, request);
    },
    close() {
      if (closed) return;
      closed = true;
      session = undefined;
      globalThis.removeEventListener?.('online', hurry);
      for (const subscription of subscriptions) subscription.unsubscribe();
      connection.close();
    },
  };
}

import type { Backoff } from './backoff.ts';
import { Connection } from './connection.ts';
import { endpoint } from './endpoint.ts';
import { LiveClientError } from './live-client-error.ts';
import { LiveSubscription } from './live-subscription.ts';
import { postQuery } from './post-query.ts';
import type { Session } from './session.ts';
import type { Phase, PhaseDetails, QueryRequest, Result, SubscribeRequest, TokenProvider } from './types.ts';

export interface LiveClientOptions {
  /** One BFF, e.g. `/graphql/web` or `https://shop.example/graphql/web`. */
  readonly url: string;
  /** Asked for each connection and each query. */
  readonly token: TokenProvider;
  readonly onPhase?: (phase: Phase, details: PhaseDetails) => void;
  /** Waits between connection attempts, full jitter. Default 500 ms to 15 s. */
  readonly backoff?: Backoff;
  /** Silence before a ping, and the wait for its pong. Default 15 s. */
  readonly heartbeatMs?: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Quiet that ends catching up. Default 400 ms. */
  readonly settleMs?: number;
  /** For one query. Default 20 s. */
  readonly queryTimeoutMs?: number;
  readonly webSocketImpl?: unknown;
  readonly fetch?: typeof globalThis.fetch;
}

export interface LiveClient {
  readonly phase: Phase;
  /** Results go to `onResult` until the returned function is called. The first subscription opens the connection. */
  subscribe<Data = unknown>(request: SubscribeRequest<Data>): () => void;
  /** A query or a mutation. @throws LiveClientError when there is no data. */
  query<Data = unknown>(request: QueryRequest): Promise<Result<Data>>;
  /** Ends the connection and every subscription, silently. */
  close(): void;
}

/** One WebSocket for all subscriptions, made again as often as it takes; queries by fetch. Browser and Node. */
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
    enter([...subscriptions].some((each) => each.phase === 'catching-up') ? 'catching-up' : 'live');
  };

  const connection = new Connection({
    webSocketUrl,
    token,
    backoff,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    webSocketImpl: options.webSocketImpl,
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
      const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
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

/** Close codes that say "do not come back unchanged", see the table of errors. */
function refusal({ closeCode, reason }: PhaseDetails): LiveClientError {
  const code = closeCode === 4406 ? 'BAD_RESPONSE' : 'BAD_REQUEST';
  return new LiveClientError(
    code,
    `The server closed the connection for good: ${closeCode} ${reason ?? ''}`.trim(),
  );
}

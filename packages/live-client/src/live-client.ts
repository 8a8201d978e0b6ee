import { refusal } from './close-code.ts';
import { Connection } from './connection.ts';
import { parseEndpoint, type Endpoint } from './endpoint.ts';
import { LiveClientError } from './live-client-error.ts';
import { withDefaults, type LiveClientOptions, type LiveClientSettings } from './live-client-options.ts';
import { LiveSubscription } from './live-subscription.ts';
import type { Phase, PhaseDetails } from './phase.ts';
import { postQuery } from './post-query.ts';
import type { QueryRequest, SubscribeRequest } from './requests.ts';
import type { Result } from './result.ts';
import type { Session, Transport } from './sessions/session.ts';
import { createSharedStreamSession } from './sessions/shared-stream-session.ts';
import { createSseSession } from './sessions/sse-session.ts';
import { createWebSocketSession } from './sessions/websocket-session.ts';

export interface LiveClient {
  /** `live` as soon as one subscription is live, or while connected without subscriptions. */
  readonly phase: Phase;
  /** Transport of the current connection; undefined while there is none. */
  readonly transport: Transport | undefined;
  /**
   * Subscribes across reconnects and returns an unsubscribe function. The first subscription opens the connection.
   *
   * Errors go to `request.onError`, never to the caller: `LiveClientError` with the gateway's code when it refuses the
   * subscription for good, with `CLOSED` after `close()`. Retryable errors are retried after a backoff.
   *
   * @example
   * ```ts
   * import { createLiveClient } from '@tidegate/live-client';
   *
   * const client = createLiveClient({ url: '/graphql/web', token: async () => '' });
   * const unsubscribe = client.subscribe<{ sensor: { celsius: number } }>({
   *   query: 'subscription Sensor($id: ID!) { sensor(id: $id) { celsius } }',
   *   variables: { id: 'kitchen' },
   *   onResult: ({ data }) => console.log(data?.sensor.celsius),
   *   onReset: (reason) => console.log(`load the sensor again: ${reason}`),
   *   onError: (error) => console.error(error.code),
   * });
   * unsubscribe();
   * ```
   */
  subscribe<Data = unknown>(request: SubscribeRequest<Data>): () => void;
  /**
   * Sends one query or mutation over HTTP. Resolves when there is data, also if single fields failed (`errors`).
   *
   * @throws LiveClientError with the gateway's code when there is no data; `NETWORK`, `TIMEOUT`, `UNAVAILABLE` or
   *   `BAD_RESPONSE` when no GraphQL answer arrived; `CLOSED` after `close()`.
   * @throws `request.signal.reason` when the caller aborted.
   *
   * @example
   * ```ts
   * import { createLiveClient } from '@tidegate/live-client';
   *
   * const client = createLiveClient({ url: '/graphql/web', token: async () => '' });
   * const { data } = await client.query<{ sensor: { celsius: number } | null }>({
   *   query: 'query Sensor($id: ID!) { sensor(id: $id) { celsius } }',
   *   variables: { id: 'kitchen' },
   *   signal: AbortSignal.timeout(2_000),
   * });
   * console.log(data?.sensor?.celsius);
   * ```
   */
  query<Data = unknown>(request: QueryRequest): Promise<Result<Data>>;
  /**
   * Ends the current wait and connects at once: on request of the viewer, or after a new sign-in (see the option
   * `signedOut`). Has no effect while connected, and none after a final refusal.
   */
  retryNow(): void;
  /** Closes the connection and ends every subscription without a callback. */
  close(): void;
}

/**
 * Creates a client of one BFF, for browsers and Node. It multiplexes all subscriptions over one WebSocket and falls back
 * to event streams where WebSockets do not get through. After an interruption it reconnects with
 * backoff and resumes each subscription after its last cursor: no result is missing and none comes twice.
 *
 * @param options see `LiveClientOptions` for units and defaults; only `url` and `token` are required.
 * @throws TypeError when `url` is neither http(s) nor ws(s).
 *
 * @example
 * ```ts
 * import { createLiveClient } from '@tidegate/live-client';
 *
 * const client = createLiveClient({
 *   url: 'https://edge.example/graphql/web',
 *   token: async ({ refresh }) => {
 *     const response = await fetch(`/token?refresh=${refresh}`);
 *     return response.text();
 *   },
 *   onPhase: (phase, { retryInMs }) => console.log(phase, retryInMs),
 * });
 * client.subscribe<{ sensors: { id: string; celsius: number } }>({
 *   query: 'subscription { sensors { id celsius } }',
 *   onResult: ({ data, extensions }) => console.log(data?.sensors, extensions?.version),
 * });
 * ```
 */
export function createLiveClient(options: LiveClientOptions): LiveClient {
  return new ReconnectingLiveClient(withDefaults(options));
}

class ReconnectingLiveClient implements LiveClient {
  readonly #settings: LiveClientSettings;
  readonly #endpoint: Endpoint;
  readonly #connection: Connection;
  readonly #subscriptions = new Set<LiveSubscription<never>>();
  readonly #onOnline = (): void => this.#connection.retryNow();
  readonly #onOffline = (): void => this.#connection.loseNetwork();
  #session: Session | undefined;
  #closed = false;
  /** Set when no further attempt follows: later subscriptions fail with it at once. */
  #finalError: LiveClientError | undefined;
  #phase: Phase | undefined;

  constructor(settings: LiveClientSettings) {
    this.#settings = settings;
    this.#endpoint = parseEndpoint(settings.url);
    this.#connection = this.#createConnection();
    globalThis.addEventListener?.('online', this.#onOnline);
    globalThis.addEventListener?.('offline', this.#onOffline);
  }

  get phase(): Phase {
    return this.#phase ?? 'connecting';
  }

  get transport(): Transport | undefined {
    return this.#session?.transport;
  }

  subscribe<Data>(request: SubscribeRequest<Data>): () => void {
    const { backoff, settleMs } = this.#settings;
    const subscription = new LiveSubscription<Data>(request, {
      backoff,
      settleMs,
      onPhase: () => this.#updatePhase(),
      onEnded: () => {
        this.#subscriptions.delete(subscription);
        this.#updatePhase();
      },
    });
    this.#subscriptions.add(subscription);
    const error = this.#closed ? closedError() : this.#finalError;
    if (error) queueMicrotask(() => subscription.fail(error));
    else if (this.#session) subscription.attach(this.#session);
    else this.#connection.start();
    return () => subscription.unsubscribe();
  }

  query<Data>(request: QueryRequest): Promise<Result<Data>> {
    if (this.#closed) return Promise.reject(closedError());
    const { token, queryTimeoutMs, fetch } = this.#settings;
    const { httpUrl } = this.#endpoint;
    return postQuery<Data>({ httpUrl, token, timeoutMs: queryTimeoutMs, fetch }, request);
  }

  retryNow(): void {
    if (!this.#closed) this.#connection.retryNow();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session = undefined;
    globalThis.removeEventListener?.('online', this.#onOnline);
    globalThis.removeEventListener?.('offline', this.#onOffline);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#connection.stop();
  }

  #createConnection(): Connection {
    const { token, heartbeatMs, connectTimeoutMs, webSocketImpl } = this.#settings;
    const { fetch, streamSilenceMs } = this.#settings;
    let { streams } = this.#settings;
    const { httpUrl, webSocketUrl } = this.#endpoint;
    const common = { token, connectTimeoutMs };
    const socket = { webSocketUrl, webSocketImpl, heartbeatMs };
    const overHttp = { ...common, httpUrl, fetch, streamSilenceMs };
    // A load balancer has divided the requests of one stream among processes.
    const onStreamUnknown = (): void => void (streams = 'each');
    return new Connection({
      ...this.#settings,
      createSession: {
        websocket: (own) => createWebSocketSession({ ...common, ...socket, ...own }),
        sse: (own) =>
          streams === 'shared'
            ? createSharedStreamSession({ ...overHttp, onStreamUnknown, ...own })
            : createSseSession({ ...overHttp, ...own }),
      },
      onConnecting: () => this.#enter('connecting'),
      onConnected: (session) => this.#connected(session),
      onDisconnected: (details) => this.#disconnected(details),
    });
  }

  #connected(session: Session): void {
    this.#session = session;
    for (const subscription of this.#subscriptions) subscription.attach(session);
    this.#updatePhase();
  }

  #disconnected(details: PhaseDetails): void {
    this.#session = undefined;
    for (const subscription of this.#subscriptions) subscription.detach('offline');
    this.#enter('offline', details);
    if (details.retryInMs !== undefined || details.signedOut) return;
    this.#finalError = refusal(details);
    for (const subscription of this.#subscriptions) subscription.fail(this.#finalError);
  }

  /** Derives the client's phase from its subscriptions while there is a session. */
  #updatePhase(): void {
    if (!this.#session) return;
    const phases = [...this.#subscriptions].map(({ phase }) => phase);
    if (phases.includes('catching-up')) this.#enter('catching-up');
    // A connection without subscriptions counts as live: a new subscription starts at once.
    else if (phases.length === 0 || phases.includes('live')) this.#enter('live');
    else this.#enter('connecting');
  }

  #enter(phase: Phase, details: PhaseDetails = {}): void {
    if (this.#closed || (this.#phase === phase && phase !== 'offline')) return;
    this.#phase = phase;
    this.#settings.onPhase(phase, details);
  }
}

function closedError(): LiveClientError {
  return new LiveClientError('CLOSED', 'The live client is closed.');
}

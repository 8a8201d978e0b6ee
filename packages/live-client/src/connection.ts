import { backoffMs, type Backoff } from './backoff.ts';
import { reconnectAfter } from './close-code.ts';
import type { PhaseDetails } from './phase.ts';
import type { CreateSession, Session, SessionEnd, Transport } from './sessions/session.ts';
import { WebSocketProbe } from './sessions/websocket-probe.ts';

export interface ConnectionOptions {
  readonly createSession: Readonly<Record<Transport, CreateSession>>;
  /** Consecutive WebSocket failures after which the connection falls back to event streams; 0: from the start. */
  readonly fallbackAfterFailures: number;
  /** First wait between WebSocket attempts while on event streams, in milliseconds; Infinity: no attempt. */
  readonly webSocketRetryMs: number;
  /** Waits between attempts, with full jitter. */
  readonly backoff: Backoff;
  /** Minimum wait after close code 4429, in milliseconds. */
  readonly rateLimitRetryMs: number;
  /** `wait`: without a valid token the connection waits for `retryNow`. `fail`: it stops. */
  readonly signedOut: 'fail' | 'wait';
  readonly onConnecting: () => void;
  /** Subscriptions move to this session. Their former session, if any, ends right after. */
  readonly onConnected: (session: Session) => void;
  /** The session has ended; `retryInMs` is absent when no other follows. */
  readonly onDisconnected: (details: PhaseDetails) => void;
}

type State =
  | { phase: 'idle' }
  | { phase: 'connecting'; session: Session }
  | { phase: 'connected'; session: Session; sinceMs: number; probe?: WebSocketProbe }
  | { phase: 'waiting'; timer: ReturnType<typeof setTimeout> | undefined }
  | { phase: 'stopped' };

/** A shorter connection counts as another failure: a server that accepts and then closes at once is not flooded. */
const STABLE_MS = 5_000;

/** Keeps one session open: creates the next one after a backoff, over the transport that gets through. */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { phase: 'idle' };
  #failures = 0;
  /** Consecutive WebSockets that failed before the server answered. */
  #webSocketFailures = 0;
  /** The last event stream reached the server: the next attempt uses one as well. */
  #streamsReachServer = false;
  #refreshToken = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Makes the first connection. Has no effect when called again. */
  start(): void {
    if (this.#state.phase === 'idle') this.#connect();
  }

  /** Ends the current wait and retries at once: the network is available again, or the viewer has signed in. */
  retryNow(): void {
    if (this.#state.phase !== 'waiting') return;
    clearTimeout(this.#state.timer);
    this.#connect();
  }

  /** The device reports that it has no network: ends the session, whose socket would notice only after a while. */
  loseNetwork(): void {
    const state = this.#state;
    if (state.phase !== 'connecting' && state.phase !== 'connected') return;
    if (state.phase === 'connected') state.probe?.stop();
    // The report may be wrong, e.g. for a server on this machine: the connection is attempted nevertheless, later.
    this.#waitForRetry({ reason: 'The device has no network.' }, this.#options.backoff.maxMs);
    state.session.terminate();
  }

  stop(): void {
    const state = this.#state;
    this.#state = { phase: 'stopped' };
    if (state.phase === 'waiting') clearTimeout(state.timer);
    if (state.phase === 'connected') state.probe?.stop();
    if (state.phase === 'connecting' || state.phase === 'connected') state.session.terminate();
  }

  #connect(): void {
    this.#options.onConnecting();
    const streams = this.#streamsReachServer || this.#options.fallbackAfterFailures === 0;
    this.#createSession(streams ? 'sse' : 'websocket');
  }

  #createSession(transport: Transport): void {
    const refreshToken = this.#refreshToken;
    const session: Session = this.#options.createSession[transport]({
      refreshToken,
      onReady: () => this.#sessionReady(session),
      onEnd: (end) => this.#sessionEnded(session, end, refreshToken),
    });
    this.#state = { phase: 'connecting', session };
  }

  #sessionReady(session: Session): void {
    if (this.#state.phase !== 'connecting') return;
    this.#enterConnected(session);
    if (session.transport === 'sse') this.#startProbe(session);
    this.#options.onConnected(session);
  }

  #enterConnected(session: Session): void {
    // A WebSocket is acknowledged by now. An event stream is accepted or refused only when a subscription opens it.
    if (session.transport === 'websocket') {
      this.#refreshToken = false;
      this.#webSocketFailures = 0;
      this.#streamsReachServer = false;
    }
    this.#state = { phase: 'connected', session, sinceMs: Date.now() };
  }

  /** Probes for a WebSocket while on event streams, and moves the subscriptions over once one gets through. */
  #startProbe(session: Session): void {
    if (!Number.isFinite(this.#options.webSocketRetryMs)) return;
    const probe = new WebSocketProbe({
      createSession: this.#options.createSession.websocket,
      firstMs: this.#options.webSocketRetryMs,
      onFound: (found) => {
        if (this.#state.phase !== 'connected' || this.#state.session !== session) return found.terminate();
        this.#enterConnected(found);
        this.#options.onConnected(found);
        session.terminate();
      },
      onEnd: (found, end) => this.#sessionEnded(found, end, false),
    });
    if (this.#state.phase === 'connected') this.#state.probe = probe;
  }

  #sessionEnded(session: Session, end: SessionEnd, refreshed: boolean): void {
    const state = this.#state;
    if ((state.phase !== 'connecting' && state.phase !== 'connected') || state.session !== session) return;
    if (state.phase === 'connected') state.probe?.stop();
    const stable =
      state.phase === 'connected' && session.reachedServer && Date.now() - state.sinceMs >= STABLE_MS;
    this.#countFailures(session);
    if (state.phase === 'connecting' && this.#webSocketsAreBlocked()) return this.#createSession('sse');
    this.#failures = stable ? 1 : this.#failures + 1;
    const reconnect = reconnectAfter(end.closeCode);
    // The server has refused the refreshed token as well: another one would not help.
    const refusedAgain = reconnect === 'with-new-token' && refreshed && !stable && !wasAcknowledged(state);
    const { signedOut = refusedAgain, ...ended } = end;
    if (signedOut && this.#options.signedOut === 'wait') return this.#waitForSignIn(ended);
    if (signedOut || reconnect === 'never') {
      this.#state = { phase: 'stopped' };
      return this.#options.onDisconnected(ended);
    }
    this.#refreshToken = reconnect === 'with-new-token' || (refreshed && !session.reachedServer);
    this.#reconnectLater(end, reconnect === 'after-rate-limit' ? this.#options.rateLimitRetryMs : 0);
  }

  #reconnectLater(end: SessionEnd, minimumMs: number): void {
    const waitMs = backoffMs(this.#failures, this.#options.backoff) + minimumMs * (1 + Math.random());
    this.#waitForRetry(end, waitMs);
  }

  #waitForRetry(end: SessionEnd, retryInMs: number): void {
    this.#state = { phase: 'waiting', timer: setTimeout(() => this.#connect(), retryInMs) };
    this.#options.onDisconnected({ ...end, retryInMs });
  }

  #waitForSignIn(end: SessionEnd): void {
    // The next token is a new one: the provider is asked for it as for the first.
    this.#refreshToken = false;
    this.#state = { phase: 'waiting', timer: undefined };
    this.#options.onDisconnected({ ...end, signedOut: true });
  }

  /**
   * True after the permitted number of WebSocket failures. The fallback to an event stream then follows at once: after
   * a wait, a restarted server could be back, and all its clients would return over the slower transport.
   */
  #webSocketsAreBlocked(): boolean {
    return this.#webSocketFailures > 0 && this.#webSocketFailures >= this.#options.fallbackAfterFailures;
  }

  /** When neither transport reaches the server, the network or the server is down: counting starts again. */
  #countFailures({ transport, reachedServer }: Session): void {
    if (transport === 'websocket') {
      this.#webSocketFailures = reachedServer ? 0 : this.#webSocketFailures + 1;
    } else {
      this.#streamsReachServer = reachedServer;
      if (!reachedServer) this.#webSocketFailures = 0;
    }
  }
}

/** An acknowledged WebSocket had a valid token: it ends with 4401 because that token has expired since. */
function wasAcknowledged(state: State): boolean {
  return state.phase === 'connected' && state.session.transport === 'websocket';
}

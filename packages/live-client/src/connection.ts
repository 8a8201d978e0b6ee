import { backoffMs, type Backoff } from './backoff.ts';
import { comeBack } from './close-code.ts';
import type { Session, SessionEnd, SessionOptions, Transport } from './session.ts';
import type { PhaseDetails } from './types.ts';
import { WebSocketProbe } from './websocket-probe.ts';

export type OpenSession = (options: Pick<SessionOptions, 'refreshToken' | 'onReady' | 'onEnd'>) => Session;

export interface ConnectionOptions {
  readonly open: Readonly<Record<Transport, OpenSession>>;
  /** So many WebSockets in a row that could not be opened, and events are streamed instead; 0: from the start. */
  readonly fallbackAfter: number;
  /** While events are streamed a WebSocket is tried after this, then after twice as long, and so on; Infinity: never. */
  readonly webSocketRetryMs: number;
  /** Full jitter between tries. */
  readonly backoff: Backoff;
  /** The least wait after "too many". */
  readonly afterAWhileMs: number;
  readonly onConnecting: () => void;
  /** Subscriptions move to this session; one they were on before ends right after. */
  readonly onUp: (session: Session) => void;
  /** The session is gone; `retryInMs` is absent when there will be no other. */
  readonly onDown: (details: PhaseDetails) => void;
}

type State =
  | { at: 'idle' }
  | { at: 'connecting'; session: Session }
  | { at: 'up'; session: Session; sinceMs: number; probe?: WebSocketProbe }
  | { at: 'waiting'; timer: ReturnType<typeof setTimeout> }
  | { at: 'closed' };

/** A connection that lasted less counts as another failure: a server that lets in and throws out is not flooded. */
const STABLE_MS = 5_000;

/** Keeps one session open: makes a new one when it ends, after a wait that grows and is spread by chance. */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { at: 'idle' };
  #failures = 0;
  /** WebSockets in a row that failed before the server was heard. */
  #unopened = 0;
  /** Events were streamed and the stream was let in: it is what gets through here. */
  #streamed = false;
  #refreshToken = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Makes the first connection; does nothing when there is one already. */
  open(): void {
    if (this.#state.at === 'idle') this.#connect();
  }

  /** Tries now instead of at the end of the wait: the network has come back. */
  hurry(): void {
    if (this.#state.at !== 'waiting') return;
    clearTimeout(this.#state.timer);
    this.#connect();
  }

  close(): void {
    const state = this.#state;
    this.#state = { at: 'closed' };
    if (state.at === 'waiting') clearTimeout(state.timer);
    if (state.at === 'up') state.probe?.stop();
    if (state.at === 'connecting' || state.at === 'up') state.session.terminate();
  }

  #connect(): void {
    this.#options.onConnecting();
    this.#open(this.#streamed || this.#options.fallbackAfter === 0 ? 'sse' : 'websocket');
  }

  #open(transport: Transport): void {
    const refreshToken = this.#refreshToken;
    const session: Session = this.#options.open[transport]({
      refreshToken,
      onReady: () => this.#ready(session),
      onEnd: (end) => this.#ended(session, end, refreshToken),
    });
    this.#state = { at: 'connecting', session };
  }

  #ready(session: Session): void {
    if (this.#state.at !== 'connecting') return;
    this.#enterUp(session);
    if (session.transport === 'sse') this.#probe(session);
    this.#options.onUp(session);
  }

  #enterUp(session: Session): void {
    // A stream is only let in or refused when it is asked for; a WebSocket has been let in by now.
    if (session.transport === 'websocket') {
      this.#refreshToken = false;
      this.#unopened = 0;
      this.#streamed = false;
    }
    this.#state = { at: 'up', session, sinceMs: Date.now() };
  }

  /** Looks for a WebSocket while events are streamed, and moves over once there is one. */
  #probe(session: Session): void {
    if (!Number.isFinite(this.#options.webSocketRetryMs)) return;
    const probe = new WebSocketProbe({
      open: this.#options.open.websocket,
      firstMs: this.#options.webSocketRetryMs,
      onFound: (found) => {
        if (this.#state.at !== 'up' || this.#state.session !== session) return found.terminate();
        this.#enterUp(found);
        this.#options.onUp(found);
        session.terminate();
      },
      onEnd: (found, end) => this.#ended(found, end, false),
    });
    if (this.#state.at === 'up') this.#state.probe = probe;
  }

  #ended(session: Session, end: SessionEnd, refreshed: boolean): void {
    const state = this.#state;
    if ((state.at !== 'connecting' && state.at !== 'up') || state.session !== session) return;
    if (state.at === 'up') state.probe?.stop();
    const stable = state.at === 'up' && session.opened && Date.now() - state.sinceMs >= STABLE_MS;
    this.#count(session);
    if (state.at === 'connecting' && this.#isBlocked()) return this.#open('sse');
    this.#failures = stable ? 1 : this.#failures + 1;
    const answer = comeBack(end.closeCode);
    // A new token was shown and refused as well: there is no third.
    if (
      answer === 'never' ||
      (answer === 'with-new-token' && refreshed && !stable && !this.#wasLetIn(state))
    ) {
      this.#state = { at: 'closed' };
      return this.#options.onDown(end);
    }
    this.#refreshToken = answer === 'with-new-token' || (refreshed && !session.opened);
    const retryInMs =
      backoffMs(this.#failures, this.#options.backoff) +
      (answer === 'after-a-while' ? this.#options.afterAWhileMs * (1 + Math.random()) : 0);
    this.#state = { at: 'waiting', timer: setTimeout(() => this.#connect(), retryInMs) };
    this.#options.onDown({ ...end, retryInMs });
  }

  /** An acknowledged WebSocket had a good token; it is over now because that ended. */
  #wasLetIn(state: State): boolean {
    return state.at === 'up' && state.session.transport === 'websocket';
  }

  /**
   * So many WebSockets have failed, the last just now, and no wait between that and the stream: after one a server that
   * was away could be back, and every client of a restart would come back by the lesser way.
   */
  #isBlocked(): boolean {
    return this.#unopened > 0 && this.#unopened >= this.#options.fallbackAfter;
  }

  /** When neither way gets through it is the network or the server that is away: so many tries more, then. */
  #count({ transport, opened }: Session): void {
    if (transport === 'websocket') {
      this.#unopened = opened ? 0 : this.#unopened + 1;
    } else {
      this.#streamed = opened;
      if (!opened) this.#unopened = 0;
    }
  }
}

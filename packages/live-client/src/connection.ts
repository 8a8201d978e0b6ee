import { backoffMs, type Backoff } from './backoff.ts';
import { openSession, type Session, type SessionEnd, type SessionOptions } from './session.ts';
import type { PhaseDetails } from './types.ts';

export interface ConnectionOptions extends Pick<
  SessionOptions,
  'webSocketUrl' | 'token' | 'connectTimeoutMs' | 'heartbeatMs' | 'webSocketImpl'
> {
  readonly backoff: Backoff;
  readonly onConnecting: () => void;
  readonly onUp: (session: Session) => void;
  /** The session is gone; `retryInMs` is absent when there will be no other. */
  readonly onDown: (details: PhaseDetails) => void;
}

type State =
  | { at: 'idle' }
  | { at: 'connecting'; session: Session }
  | { at: 'up'; session: Session; sinceMs: number }
  | { at: 'waiting'; timer: ReturnType<typeof setTimeout> }
  | { at: 'closed' };

/** A connection that lasted less counts as another failure: a server that lets in and throws out is not flooded. */
const STABLE_MS = 5_000;
/** The token is asked for anew after these. */
const TOKEN_REFUSED = 4401;
/** 44xx: do not come back unchanged. These are the exceptions: a new token, and "too many" or "too slow". */
const comeBackCodes = new Set([TOKEN_REFUSED, 4403, 4408, 4429, 4499]);

/** Keeps one session open: makes a new one when it ends, after a wait that grows and is spread by chance. */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { at: 'idle' };
  #failures = 0;
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
    if (state.at === 'connecting' || state.at === 'up') state.session.terminate();
  }

  #connect(): void {
    this.#options.onConnecting();
    const session = openSession({
      ...this.#options,
      refreshToken: this.#refreshToken,
      onReady: () => this.#ready(session),
      onEnd: (end) => this.#ended(end),
    });
    this.#state = { at: 'connecting', session };
  }

  #ready(session: Session): void {
    if (this.#state.at === 'closed') return;
    this.#refreshToken = false;
    this.#state = { at: 'up', session, sinceMs: Date.now() };
    this.#options.onUp(session);
  }

  #ended(end: SessionEnd): void {
    if (this.#state.at === 'closed') return;
    const stable = this.#state.at === 'up' && Date.now() - this.#state.sinceMs >= STABLE_MS;
    this.#failures = stable ? 1 : this.#failures + 1;
    this.#refreshToken ||= end.closeCode === TOKEN_REFUSED;
    if (isFinal(end.closeCode)) {
      this.#state = { at: 'closed' };
      return this.#options.onDown(end);
    }
    const retryInMs = backoffMs(this.#failures, this.#options.backoff);
    this.#state = { at: 'waiting', timer: setTimeout(() => this.#connect(), retryInMs) };
    this.#options.onDown({ ...end, retryInMs });
  }
}

function isFinal(closeCode: number | undefined): boolean {
  if (closeCode === undefined || comeBackCodes.has(closeCode)) return false;
  return closeCode >= 4400 && closeCode < 4500;
}

import type { CreateSession, Session, SessionEnd } from './session.ts';

export interface WebSocketProbeOptions {
  readonly createSession: CreateSession;
  /** Wait before the first attempt, in milliseconds. It doubles with each attempt. */
  readonly firstMs: number;
  /** A WebSocket got through. The callee uses the session or terminates it. */
  readonly onFound: (session: Session) => void;
  /** A session that was handed to `onFound` has ended. */
  readonly onEnd: (session: Session, end: SessionEnd) => void;
}

/** Largest wait between two attempts, as a multiple of the first. */
const MAX_FACTOR = 16;

/** Attempts a WebSocket at growing intervals, until one gets through or `stop` is called. Starts at once. */
export class WebSocketProbe {
  readonly #options: WebSocketProbeOptions;
  #factor = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt: Session | undefined;
  #stopped = false;

  constructor(options: WebSocketProbeOptions) {
    this.#options = options;
    this.#schedule();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#attempt?.terminate();
  }

  #schedule(): void {
    const delayMs = this.#options.firstMs * this.#factor * (0.5 + Math.random() / 2);
    this.#factor = Math.min(MAX_FACTOR, this.#factor * 2);
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  #connect(): void {
    let found = false;
    const session: Session = this.#options.createSession({
      refreshToken: false,
      onReady: () => {
        if (this.#stopped) return session.terminate();
        found = true;
        this.#stopped = true;
        this.#options.onFound(session);
      },
      onEnd: (end) => {
        if (found) this.#options.onEnd(session, end);
        else if (!this.#stopped) this.#schedule();
      },
    });
    this.#attempt = session;
  }
}

import type { OpenSession } from './connection.ts';
import type { Session, SessionEnd } from './session.ts';

export interface WebSocketProbeOptions {
  readonly open: OpenSession;
  readonly firstMs: number;
  /** It gets through: take it, or terminate it. */
  readonly onFound: (session: Session) => void;
  /** One that was found has ended. */
  readonly onEnd: (session: Session, end: SessionEnd) => void;
}

/** A way that was closed for long is not looked at more often than this many times the first wait. */
const MAX_FACTOR = 16;

/** Tries a WebSocket from time to time, less and less often, until one gets through or `stop` is called. */
export class WebSocketProbe {
  readonly #options: WebSocketProbeOptions;
  #factor = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #trying: Session | undefined;
  #over = false;

  constructor(options: WebSocketProbeOptions) {
    this.#options = options;
    this.#wait();
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#trying?.terminate();
  }

  #wait(): void {
    const delayMs = this.#options.firstMs * this.#factor * (0.5 + Math.random() / 2);
    this.#factor = Math.min(MAX_FACTOR, this.#factor * 2);
    this.#timer = setTimeout(() => this.#try(), delayMs);
  }

  #try(): void {
    let found = false;
    const session: Session = this.#options.open({
      refreshToken: false,
      onReady: () => {
        if (this.#over) return session.terminate();
        found = true;
        this.#over = true;
        this.#options.onFound(session);
      },
      onEnd: (end) => {
        if (found) this.#options.onEnd(session, end);
        else if (!this.#over) this.#wait();
      },
    });
    this.#trying = session;
  }
}

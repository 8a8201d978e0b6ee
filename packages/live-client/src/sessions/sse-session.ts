import type {
  Session,
  SessionEnd,
  SessionOptions,
  SubscribePayload,
  SubscriptionHandlers,
} from './session.ts';
import { SseStream } from './sse-stream.ts';
import { TokenRenewal, tokenFailure } from './token-renewal.ts';

export interface SseSessionOptions extends SessionOptions {
  readonly httpUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Time without a byte after which a stream counts as dead, in milliseconds. */
  readonly streamSilenceMs: number;
}

/** Opens one event stream for each subscription. */
export function createSseSession(options: SseSessionOptions): Session {
  return new SseSession(options);
}

/**
 * All streams end together: the first that is cut ends the session, as with a WebSocket, so that one backoff applies to
 * all. A renewed token is presented by opening each stream again after its cursor.
 */
class SseSession implements Session {
  readonly transport = 'sse';
  readonly #options: SseSessionOptions;
  readonly #running = new Set<SseStream>();
  readonly #renewal: TokenRenewal;
  #token = '';
  #reachedServer = false;
  #ended = false;

  constructor(options: SseSessionOptions) {
    this.#options = options;
    this.#renewal = new TokenRenewal({
      token: options.token,
      onRenewed: (token) => this.#presentToken(token),
    });
    this.#connect().catch((error: unknown) => this.#end(tokenFailure(error)));
  }

  get reachedServer(): boolean {
    return this.#reachedServer;
  }

  subscribe(payload: SubscribePayload, handlers: SubscriptionHandlers): () => void {
    const stream = this.#createStream(payload, handlers);
    if (!this.#ended) {
      this.#running.add(stream);
      stream.start();
    }
    return () => {
      stream.stop();
      this.#running.delete(stream);
    };
  }

  terminate(): void {
    this.#end({ reason: 'Terminated' });
  }

  #createStream(payload: SubscribePayload, handlers: SubscriptionHandlers): SseStream {
    const { httpUrl, fetch, connectTimeoutMs, streamSilenceMs } = this.#options;
    const stream: SseStream = new SseStream(payload, handlers, {
      httpUrl,
      fetch,
      token: () => this.#token,
      connectTimeoutMs,
      maxSilenceMs: streamSilenceMs,
      onReachedServer: () => {
        this.#reachedServer = true;
      },
      onDone: () => this.#running.delete(stream),
      onLost: (end) => this.#end(end),
    });
    return stream;
  }

  async #connect(): Promise<void> {
    this.#token = await this.#renewal.start(this.#options.refreshToken);
    if (!this.#ended) this.#options.onReady();
  }

  #presentToken(token: string): void {
    this.#token = token;
    for (const stream of this.#running) stream.restart();
  }

  #end(end: SessionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#renewal.stop();
    for (const stream of this.#running) stream.stop();
    this.#running.clear();
    this.#options.onEnd(end);
  }
}

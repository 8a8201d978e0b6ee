import type { StreamEvent } from './event-stream.ts';
import type { SessionEnd, SubscribePayload, SubscriptionHandlers } from './session.ts';
import type { GraphQLErrorLike } from '../result.ts';
import { readEvents, readRefusal, tokenRefusal } from './stream-answer.ts';

export interface SseStreamOptions {
  readonly httpUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Returns the current token; '' for an anonymous viewer. */
  readonly token: () => string;
  /** Time limit for the response head, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Time without a byte after which the stream counts as dead, in milliseconds. The server sends each heartbeat. */
  readonly maxSilenceMs: number;
  /** The gateway itself has answered. */
  readonly onReachedServer: () => void;
  /** The subscription has completed or failed. Called before its handlers. */
  readonly onDone: () => void;
  /** The stream was cut or refused for a reason that concerns the whole session. */
  readonly onLost: (end: SessionEnd) => void;
}

/**
 * One subscription over one `fetch`: the "distinct connections mode" of GraphQL over SSE. EventSource can neither send
 * a token nor read comments. The cursor is in the body, where it needs no CORS permission.
 */
export class SseStream {
  readonly #payload: SubscribePayload;
  readonly #handlers: SubscriptionHandlers;
  readonly #options: SseStreamOptions;
  #cursor: string | undefined;
  #reading: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(payload: SubscribePayload, handlers: SubscriptionHandlers, options: SseStreamOptions) {
    this.#payload = payload;
    this.#cursor = payload.cursor;
    this.#handlers = handlers;
    this.#options = options;
  }

  start(): void {
    this.stop();
    const reading = new AbortController();
    this.#reading = reading;
    void this.#read(reading).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#end(reading, () => this.#options.onLost({ reason }));
    });
  }

  /** Resumes after the cursor with the current token. Without a cursor it would lose changes, and does nothing. */
  restart(): void {
    if (this.#reading && this.#cursor !== undefined) this.start();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
    this.#reading = undefined;
  }

  async #read(reading: AbortController): Promise<void> {
    const { connectTimeoutMs, onReachedServer, fetch, httpUrl } = this.#options;
    this.#limitSilence(reading, connectTimeoutMs);
    const response = await fetch(httpUrl, this.#request(reading.signal));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!response.ok || !isStream || !response.body) return this.#refused(reading, response);
    if (this.#reading !== reading) return;
    onReachedServer();
    this.#handlers.onAccepted();
    await readEvents(response.body, {
      isWanted: () => this.#reading === reading,
      onWait: () => this.#limitSilence(reading, this.#options.maxSilenceMs),
      onEvent: (event) => this.#handleEvent(reading, event),
      onComment: (text) => this.#handleComment(text),
    });
    this.#end(reading, () => this.#options.onLost({ reason: 'The stream ended.' }));
  }

  #request(signal: AbortSignal): RequestInit {
    const { query, variables } = this.#payload;
    const token = this.#options.token();
    return {
      method: 'POST',
      cache: 'no-store',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        query,
        ...(variables && { variables }),
        ...(this.#cursor !== undefined && { extensions: { cursor: this.#cursor } }),
      }),
      signal,
    };
  }

  #handleComment(text: string): void {
    const cursor = /^cursor (\S+)$/.exec(text)?.[1];
    if (cursor === undefined) return;
    this.#cursor = cursor;
    this.#handlers.onCursor(cursor);
  }

  #handleEvent(reading: AbortController, { id, event, data }: StreamEvent): void {
    if (event === 'complete') return this.#done(reading, () => this.#handlers.onComplete());
    if (event !== 'next') return;
    const result = JSON.parse(data) as { data?: unknown; errors?: readonly GraphQLErrorLike[] };
    if (result.errors && result.data === undefined) return this.#failed(reading, result.errors);
    this.#handlers.onResult(result);
    if (id !== undefined && id !== '') this.#cursor = id;
  }

  async #refused(reading: AbortController, response: Response): Promise<void> {
    const { errors, end } = await readRefusal(response);
    if (errors) {
      this.#options.onReachedServer();
      return this.#failed(reading, errors);
    }
    this.#end(reading, () => this.#options.onLost(end));
  }

  #failed(reading: AbortController, errors: readonly GraphQLErrorLike[]): void {
    const end = tokenRefusal(errors);
    if (!end) return this.#done(reading, () => this.#handlers.onErrors(errors));
    this.#end(reading, () => this.#options.onLost(end));
  }

  #done(reading: AbortController, report: () => void): void {
    this.#end(reading, () => {
      this.#options.onDone();
      report();
    });
  }

  /** Calls `report` once per reading, and not at all when the reading was stopped. */
  #end(reading: AbortController, report: () => void): void {
    if (this.#reading !== reading) return;
    this.stop();
    report();
  }

  #limitSilence(reading: AbortController, withinMs: number): void {
    if (this.#reading !== reading) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () =>
        this.#end(reading, () => this.#options.onLost({ reason: `Nothing was heard for ${withinMs} ms.` })),
      withinMs,
    );
  }
}

import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import type { SessionEnd, SubscribePayload, SubscriptionHandlers } from './session.ts';
import type { GraphQLErrorLike } from '../result.ts';

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
    await this.#readBody(reading, response.body);
    this.#end(reading, () => this.#options.onLost({ reason: 'The stream ended.' }));
  }

  async #readBody(reading: AbortController, body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser({
      onEvent: (event) => {
        if (this.#reading === reading) this.#handleEvent(reading, event);
      },
      onComment: (text) => {
        if (this.#reading === reading) this.#handleComment(text);
      },
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      if (this.#reading === reading) this.#limitSilence(reading, this.#options.maxSilenceMs);
      const { done, value } = await reader.read();
      if (done || this.#reading !== reading) return;
      parser.push(decoder.decode(value, { stream: true }));
    }
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
    const errors = errorsIn(await response.text());
    if (errors) {
      this.#options.onReachedServer();
      return this.#failed(reading, errors);
    }
    const closeCode = closeCodes[response.status];
    const reason = `The server answered ${response.status} instead of a stream.`;
    this.#end(reading, () => this.#options.onLost({ reason, ...(closeCode && { closeCode }) }));
  }

  #failed(reading: AbortController, errors: readonly GraphQLErrorLike[]): void {
    const code = String(errors[0]?.extensions?.['code']);
    if (code !== 'UNAUTHENTICATED' && code !== 'TOKEN_EXPIRED') {
      return this.#done(reading, () => this.#handlers.onErrors(errors));
    }
    const reason = errors[0]?.message ?? code;
    this.#end(reading, () => this.#options.onLost({ closeCode: 4401, reason }));
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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () =>
        this.#end(reading, () => this.#options.onLost({ reason: `Nothing was heard for ${withinMs} ms.` })),
      withinMs,
    );
  }
}

/** Close code that a WebSocket would have in place of an HTTP status without GraphQL errors. */
const closeCodes: Readonly<Record<number, number>> = { 401: 4401, 413: 4413, 429: 4429 };

function errorsIn(body: string): readonly GraphQLErrorLike[] | undefined {
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown };
    return Array.isArray(errors) && errors.length > 0 ? (errors as GraphQLErrorLike[]) : undefined;
  } catch {
    // Not JSON: most likely the page of a proxy.
    return undefined;
  }
}

import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import type { SessionEnd, SessionSink, SubscribePayload } from './session.ts';
import type { GraphQLErrorLike } from './types.ts';

export interface SseStreamOptions {
  readonly httpUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** The token of the moment; '' for an anonymous viewer. */
  readonly token: () => string;
  readonly connectTimeoutMs: number;
  /** The server has something to say at least every heartbeat; after this much silence the stream is dead. */
  readonly maxSilenceMs: number;
  /** The server itself answered. */
  readonly onOpened: () => void;
  /** The subscription is over: the sink was told. */
  readonly onDone: () => void;
  /** Cut off, or never let in, by no fault of the subscription. */
  readonly onLost: (end: SessionEnd) => void;
}

/**
 * One subscription over one fetch, "distinct connections mode" of GraphQL over SSE. By fetch rather than EventSource:
 * that can send no token, and hears no comment. The cursor goes in the body, where no CORS rule stands in its way.
 */
export class SseStream {
  readonly #payload: SubscribePayload;
  readonly #sink: SessionSink;
  readonly #options: SseStreamOptions;
  #cursor: string | undefined;
  #reading: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(payload: SubscribePayload, sink: SessionSink, options: SseStreamOptions) {
    this.#payload = payload;
    this.#cursor = payload.cursor;
    this.#sink = sink;
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

  /** Goes on after the cursor with the token of the moment; without a cursor that would lose something. */
  restart(): void {
    if (this.#reading && this.#cursor !== undefined) this.start();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
    this.#reading = undefined;
  }

  async #read(reading: AbortController): Promise<void> {
    const { connectTimeoutMs, maxSilenceMs, onOpened, fetch, httpUrl } = this.#options;
    this.#expect(reading, connectTimeoutMs);
    const response = await fetch(httpUrl, this.#request(reading.signal));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!response.ok || !isStream || !response.body) return this.#refused(reading, response);
    if (this.#reading !== reading) return;
    onOpened();
    this.#sink.accepted();
    const parser = new EventStreamParser({
      onEvent: (event) => {
        if (this.#reading === reading) this.#take(reading, event);
      },
      onComment: (text) => {
        const cursor = /^cursor (\S+)$/.exec(text)?.[1];
        if (cursor === undefined || this.#reading !== reading) return;
        this.#cursor = cursor;
        this.#sink.position(cursor);
      },
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      if (this.#reading === reading) this.#expect(reading, maxSilenceMs);
      const { done, value } = await reader.read();
      if (done || this.#reading !== reading) break;
      parser.push(decoder.decode(value, { stream: true }));
    }
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

  #take(reading: AbortController, { id, event, data }: StreamEvent): void {
    if (event === 'complete') return this.#done(reading, () => this.#sink.complete());
    if (event !== 'next') return;
    const result = JSON.parse(data) as { data?: unknown; errors?: readonly GraphQLErrorLike[] };
    if (result.errors && result.data === undefined) return this.#failed(reading, result.errors);
    this.#sink.next(result);
    if (id !== undefined && id !== '') this.#cursor = id;
  }

  async #refused(reading: AbortController, response: Response): Promise<void> {
    const errors = errorsIn(await response.text());
    if (errors) {
      this.#options.onOpened();
      return this.#failed(reading, errors);
    }
    const closeCode = closeCodes[response.status];
    const reason = `The server answered ${response.status} instead of a stream.`;
    this.#end(reading, () => this.#options.onLost({ reason, ...(closeCode && { closeCode }) }));
  }

  #failed(reading: AbortController, errors: readonly GraphQLErrorLike[]): void {
    const code = String(errors[0]?.extensions?.['code']);
    if (code !== 'UNAUTHENTICATED' && code !== 'TOKEN_EXPIRED') {
      return this.#done(reading, () => this.#sink.error(errors));
    }
    const reason = errors[0]?.message ?? code;
    this.#end(reading, () => this.#options.onLost({ closeCode: 4401, reason }));
  }

  #done(reading: AbortController, tell: () => void): void {
    this.#end(reading, () => {
      this.#options.onDone();
      tell();
    });
  }

  /** Once for each reading, and not at all when it was stopped. */
  #end(reading: AbortController, tell: () => void): void {
    if (this.#reading !== reading) return;
    this.stop();
    tell();
  }

  #expect(reading: AbortController, withinMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () =>
        this.#end(reading, () => this.#options.onLost({ reason: `Nothing was heard for ${withinMs} ms.` })),
      withinMs,
    );
  }
}

/** What a status without GraphQL errors means, in the words of a WebSocket. */
const closeCodes: Readonly<Record<number, number>> = { 401: 4401, 413: 4413, 429: 4429 };

function errorsIn(body: string): readonly GraphQLErrorLike[] | undefined {
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown };
    return Array.isArray(errors) && errors.length > 0 ? (errors as GraphQLErrorLike[]) : undefined;
  } catch {
    // Not JSON: a proxy's page, most likely.
    return undefined;
  }
}

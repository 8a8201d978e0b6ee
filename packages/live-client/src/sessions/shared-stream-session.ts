import type { GraphQLErrorLike } from '../result.ts';
import type { StreamEvent } from './event-stream.ts';
import type {
  Session,
  SessionEnd,
  SessionOptions,
  SubscribePayload,
  SubscriptionHandlers,
} from './session.ts';
import { readEvents, readRefusal, tokenRefusal } from './stream-answer.ts';
import { TokenRenewal, tokenFailure } from './token-renewal.ts';

export interface SharedStreamSessionOptions extends SessionOptions {
  readonly httpUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Time without a byte after which the stream counts as dead, in milliseconds. */
  readonly streamSilenceMs: number;
  /** Called when a request reached a server that does not have the stream, before `onEnd`. */
  readonly onStreamUnknown: () => void;
}

interface Operation {
  readonly handlers: SubscriptionHandlers;
  /** Resolves when the server has answered its request: an earlier stop would find nothing to stop. */
  readonly started: Promise<void>;
  isAccepted: boolean;
}

interface TaggedMessage {
  readonly id: string;
  readonly payload?: { readonly data?: unknown; readonly errors?: readonly GraphQLErrorLike[] };
}

/** Operation id of requests that only present a token: no subscription has it. */
const NO_OPERATION = 'token';

/**
 * All subscriptions on one event stream: "single connection mode" of GraphQL over SSE. One of a browser's six HTTP/1.1
 * connections carries them, whatever their number. Behind a load balancer all requests have to reach the process of the
 * stream.
 */
export function createSharedStreamSession(options: SharedStreamSessionOptions): Session {
  return new SharedStreamSession(options);
}

class SharedStreamSession implements Session {
  readonly transport = 'sse';
  readonly #options: SharedStreamSessionOptions;
  readonly #operations = new Map<string, Operation>();
  readonly #renewal: TokenRenewal;
  readonly #abort = new AbortController();
  #token = '';
  /** Token of the reserved stream. */
  #stream = '';
  #operationIds = 0;
  #reachedServer = false;
  #ended = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SharedStreamSessionOptions) {
    this.#options = options;
    this.#renewal = new TokenRenewal({
      token: options.token,
      onRenewed: (token) => this.#presentToken(token),
    });
    this.#run().catch((error: unknown) => this.#end({ reason: String(error) }));
  }

  get reachedServer(): boolean {
    return this.#reachedServer;
  }

  subscribe(payload: SubscribePayload, handlers: SubscriptionHandlers): () => void {
    const id = String((this.#operationIds += 1));
    if (!this.#ended) {
      const started = this.#start(id, payload);
      this.#operations.set(id, { handlers, started, isAccepted: false });
      this.#guard(started);
    }
    return () => {
      const operation = this.#operations.get(id);
      if (!this.#operations.delete(id)) return;
      operation?.started.then(
        () => this.#stop(id),
        () => undefined,
      );
    };
  }

  terminate(): void {
    this.#end({ reason: 'Terminated' });
  }

  async #run(): Promise<void> {
    try {
      this.#token = await this.#renewal.start(this.#options.refreshToken);
    } catch (error) {
      return this.#end(tokenFailure(error));
    }
    if (this.#ended) return;
    this.#limitSilence(this.#options.connectTimeoutMs);
    const reserved = await this.#request('PUT');
    if (!reserved.ok) return this.#refused(reserved);
    this.#reachedServer = true;
    this.#stream = await reserved.text();
    const opened = await this.#request('GET', { headers: { accept: 'text/event-stream' } });
    if (this.#ended) return;
    if (!opened.ok || !opened.body) return this.#refused(opened);
    this.#options.onReady();
    await readEvents(opened.body, {
      isWanted: () => !this.#ended,
      onWait: () => this.#limitSilence(this.#options.streamSilenceMs),
      onEvent: (event) => this.#handleEvent(event),
      onComment: (text) => this.#handleComment(text),
    });
    this.#end({ reason: 'The stream ended.' });
  }

  #request(method: string, init: RequestInit & { readonly search?: string } = {}): Promise<Response> {
    const { fetch, httpUrl } = this.#options;
    const { search = '', headers, ...rest } = init;
    return fetch(httpUrl + search, {
      cache: 'no-store',
      signal: this.#abort.signal,
      ...rest,
      method,
      headers: {
        ...(headers as Record<string, string>),
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...(this.#stream && { 'x-graphql-event-stream-token': this.#stream }),
      },
    });
  }

  async #start(id: string, { query, variables, cursor }: SubscribePayload): Promise<void> {
    const response = await this.#request('POST', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query,
        ...(variables && { variables }),
        extensions: { operationId: id, ...(cursor !== undefined && { cursor }) },
      }),
    });
    if (response.ok) return this.#accepted(id);
    const { errors, end } = await readRefusal(response);
    if (response.status === 404) return this.#lostStream(end);
    if (!errors) return this.#end(end);
    this.#failed(id, errors);
  }

  /** The next subscription does not wait for it: it has another id. */
  #stop(id: string): void {
    if (this.#ended) return;
    const search = `?operationId=${encodeURIComponent(id)}`;
    this.#guard(this.#request('DELETE', { search }).then((response) => void response.body?.cancel()));
  }

  /** Any request with the stream's token renews the stream's bearer token. */
  #presentToken(token: string): void {
    this.#token = token;
    if (this.#stream) this.#stop(NO_OPERATION);
  }

  /** A request that cannot be sent ends the session, as a broken WebSocket does. */
  #guard(request: Promise<void>): void {
    request.catch((error: unknown) => this.#end({ reason: String(error) }));
  }

  #handleEvent({ event, data }: StreamEvent): void {
    if (event !== 'next' && event !== 'complete') return;
    const { id, payload } = JSON.parse(data) as TaggedMessage;
    const operation = this.#operations.get(id);
    if (!operation) return;
    if (event === 'next') {
      if (payload?.errors && payload.data === undefined) return this.#failed(id, payload.errors);
      this.#accepted(id);
      return operation.handlers.onResult(payload);
    }
    this.#operations.delete(id);
    operation.handlers.onComplete();
  }

  /** Cursors of idle subscriptions. */
  #handleComment(text: string): void {
    const json = /^cursors (\{.*\})$/.exec(text)?.[1];
    if (json === undefined) return;
    for (const [id, cursor] of Object.entries(JSON.parse(json) as Record<string, string>)) {
      this.#accepted(id);
      this.#operations.get(id)?.handlers.onCursor(cursor);
    }
  }

  /** Its first message may arrive before the answer to its request. */
  #accepted(id: string): void {
    const operation = this.#operations.get(id);
    if (!operation || operation.isAccepted) return;
    operation.isAccepted = true;
    operation.handlers.onAccepted();
  }

  #failed(id: string, errors: readonly GraphQLErrorLike[]): void {
    const end = tokenRefusal(errors);
    if (end) return this.#end(end);
    const operation = this.#operations.get(id);
    this.#operations.delete(id);
    operation?.handlers.onErrors(errors);
  }

  async #refused(response: Response): Promise<void> {
    const { errors, end } = await readRefusal(response);
    if (errors) this.#reachedServer = true;
    if (response.status === 404) return this.#lostStream(end);
    this.#end((errors && tokenRefusal(errors)) ?? end);
  }

  #lostStream(end: SessionEnd): void {
    if (!this.#ended) this.#options.onStreamUnknown();
    this.#end(end);
  }

  #limitSilence(withinMs: number): void {
    clearTimeout(this.#silence);
    if (this.#ended) return;
    this.#silence = setTimeout(
      () => this.#end({ reason: `Nothing was heard for ${withinMs} ms.` }),
      withinMs,
    );
  }

  #end(end: SessionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#renewal.stop();
    this.#operations.clear();
    this.#abort.abort();
    this.#options.onEnd(end);
  }
}

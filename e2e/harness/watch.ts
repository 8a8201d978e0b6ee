import { createClient, type Client } from 'graphql-ws';

/** One message of a live field, with the facts in its `extensions`. */
export interface LiveMessage {
  readonly id?: string | undefined;
  readonly key: string;
  readonly version: number;
  readonly kind: string;
  readonly cursor: string;
  readonly data: Record<string, never>;
}

export interface WatchPayload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly extensions?: Record<string, unknown>;
}

/** A subscription that keeps all its messages. */
export interface Watch {
  readonly messages: LiveMessage[];
  /** Resolves when the subscription ends: with its error, or undefined after `complete`. */
  readonly closed: Promise<unknown>;
  stop(): void;
}

/** Creates a graphql-ws client of one BFF. It does not reconnect. */
export function webSocketClient(url: string, token: string): Client {
  return createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: true,
  });
}

/** Subscribes over WebSocket. */
export function watchWebSocket(client: Client, payload: WatchPayload): Watch {
  const messages: LiveMessage[] = [];
  let stop = (): void => undefined;
  const closed = new Promise<unknown>((resolve) => {
    stop = client.subscribe(
      { ...payload },
      {
        next: (result) => messages.push(messageOf(result)),
        error: resolve,
        complete: () => resolve(undefined),
      },
    );
  });
  return { messages, closed, stop: () => stop() };
}

/** Subscribes over Server-Sent Events with plain `fetch`. */
export function watchSse(url: string, token: string, payload: WatchPayload, lastEventId?: string): Watch {
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    authorization: `Bearer ${token}`,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  return new SseWatch(url, { method: 'POST', headers, body: JSON.stringify(payload) });
}

class SseWatch implements Watch {
  readonly messages: LiveMessage[] = [];
  readonly closed: Promise<unknown>;
  readonly #abort = new AbortController();

  constructor(url: string, request: RequestInit) {
    this.closed = this.#read(url, request).catch((error: unknown) => error);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(url: string, request: RequestInit): Promise<void> {
    const response = await fetch(url, { ...request, signal: this.#abort.signal });
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) this.#parse(event);
    }
  }

  #parse(event: string): void {
    const fields = new Map(event.split('\n').map((line) => splitField(line)));
    const data = fields.get('data');
    if (fields.get('event') !== 'next' || !data) return;
    const message = messageOf(JSON.parse(data) as object);
    if (fields.get('id') !== message.cursor) throw new Error('the event id is not the cursor');
    this.messages.push(message);
  }
}

function messageOf(result: { data?: unknown; extensions?: unknown; errors?: unknown }): LiveMessage {
  if (result.errors) throw new Error(`the subscription failed: ${JSON.stringify(result.errors)}`);
  return {
    ...(result.extensions as Omit<LiveMessage, 'data'>),
    data: result.data as LiveMessage['data'],
  };
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}

import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Receipts, type ChurnConnection, type ChurnConnectionOptions } from './churn-connection.ts';

/** Resolves when the stream has begun. @throws Error when the gateway refuses it. */
export async function openChurnEventStream(options: ChurnConnectionOptions): Promise<ChurnConnection> {
  const connection = new ChurnEventStream(options);
  await connection.open();
  return connection;
}

/** An event stream ends in one way only: by the end of its request. */
class ChurnEventStream implements ChurnConnection {
  readonly #options: ChurnConnectionOptions;
  readonly #receipts = new Receipts();
  #request: ClientRequest;
  #response: IncomingMessage | undefined;
  #rest = '';

  constructor(options: ChurnConnectionOptions) {
    this.#options = options;
    this.#request = this.#send(options.cursor);
  }

  get messages(): number {
    return this.#receipts.messages;
  }

  get cursor(): string | undefined {
    return this.#receipts.cursor;
  }

  #send(cursor: string | undefined): ClientRequest {
    const { port, token, workload } = this.#options;
    const search = new URLSearchParams({ query: workload.query });
    const sent = request(`http://127.0.0.1:${port}${workload.path}?${search.toString()}`, {
      agent: false,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      },
    });
    const end = (reason: string): void => {
      if (sent === this.#request) this.#receipts.end(reason);
    };
    sent.on('error', (error) => end(error.message));
    sent.on('close', () => end('the stream ended'));
    sent.end();
    return sent;
  }

  async open(): Promise<void> {
    const [response] = (await once(this.#request, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200)
      throw new Error(`an event stream was refused with ${response.statusCode}`);
    this.#response = response;
    response.on('error', () => undefined);
    response.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
  }

  received(count: number): Promise<void> {
    return this.#receipts.received(count);
  }

  unsubscribe(): void {
    this.destroy();
  }

  resubscribe(): void {
    const before = this.#request;
    this.#request = this.#send(this.cursor);
    before.destroy();
    this.open().catch((error: unknown) => this.#receipts.end(String(error)));
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    this.#request.destroy();
  }

  freeze(): void {
    this.#response?.pause();
  }

  #receive(text: string): void {
    const events = (this.#rest + text).split('\n\n');
    this.#rest = events.pop()!;
    for (const event of events)
      if (event.includes('\ndata: ')) this.#receipts.add(/^id: (\S+)/m.exec(event)?.[1]);
  }
}

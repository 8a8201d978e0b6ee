import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Receipts, type ChurnConnection, type ChurnConnectionOptions } from './churn-connection.ts';
import { BENCH_PATH, TICKS } from './churn-documents.ts';

/** Resolves when the stream has begun. @throws Error when the gateway refuses it. */
export async function openChurnEventStream(options: ChurnConnectionOptions): Promise<ChurnConnection> {
  const connection = new ChurnEventStream(options);
  await connection.open();
  return connection;
}

/** An event stream ends in one way only: by the end of its request. */
class ChurnEventStream implements ChurnConnection {
  readonly #receipts = new Receipts();
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;
  #rest = '';

  constructor({ port, token, cursor }: ChurnConnectionOptions) {
    const search = new URLSearchParams({ query: TICKS });
    this.#request = request(`http://127.0.0.1:${port}${BENCH_PATH}?${search.toString()}`, {
      agent: false,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      },
    });
    this.#request.on('error', (error) => this.#receipts.end(error.message));
    this.#request.on('close', () => this.#receipts.end('the stream ended'));
    this.#request.end();
  }

  get messages(): number {
    return this.#receipts.messages;
  }

  get cursor(): string | undefined {
    return this.#receipts.cursor;
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

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { EventStreamReader, type StreamEvent } from './event-stream-reader.ts';
import { ExactnessViolation, type ExpectedView, type Payload } from './expected-view.ts';
import { BFF_PATH } from './item-bff.ts';
import {
  ClientTokens,
  COME_BACK_MS,
  createOperation,
  documentOf,
  isTemporary,
  type Operation,
  type ResumingClient,
  type ResumingClientOptions,
} from './resuming-client.ts';

/** A client of GraphQL over SSE, "distinct connections mode": a stream for each operation, with `Last-Event-ID`. */
export class EventStreamClient implements ResumingClient {
  readonly #streams: readonly OperationStream[];

  constructor(options: ResumingClientOptions) {
    this.#streams = options.operations.map(
      (spec) => new OperationStream(createOperation(spec, options.writer), options),
    );
  }

  get views(): readonly ExpectedView[] {
    return this.#streams.map(({ view }) => view);
  }

  connect(replica: number): void {
    for (const stream of this.#streams) stream.connect(replica);
  }

  vanish(): void {
    for (const stream of this.#streams) stream.leave();
  }

  /** SSE has no word for it. */
  close(): void {
    this.vanish();
  }

  unsubscribe(): void {
    this.#streams[0]!.leave();
  }

  pause(): boolean {
    return this.#streams.map((stream) => stream.pause()).includes(true);
  }

  resume(): void {
    for (const stream of this.#streams) stream.resume();
  }

  /** A stream's token cannot be renewed in this mode: at its end the client comes back with another. */
  renew(): void {}

  settle(): void {
    for (const stream of this.#streams) stream.settle();
  }
}

/** One operation and the connection that is its own. */
class OperationStream {
  readonly #operation: Operation;
  readonly #options: ResumingClientOptions;
  readonly #tokens: ClientTokens;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #replica = 0;
  #wanted = false;
  #timer: NodeJS.Timeout | undefined;
  #clogged: number | undefined;
  /** What came last was an error that says "come back". */
  #refused = false;

  constructor(operation: Operation, options: ResumingClientOptions) {
    this.#operation = operation;
    this.#options = options;
    this.#tokens = new ClientTokens(options);
  }

  get view(): ExpectedView {
    return this.#operation.view;
  }

  connect(replica: number): void {
    this.#wanted = true;
    if (!this.#request) this.#open(replica);
  }

  leave(): void {
    const left = this.#request;
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#forget();
    left?.destroy();
  }

  pause(): boolean {
    const port = this.#response?.socket.localPort;
    if (port === undefined) return false;
    this.#response?.pause();
    this.#clogged = port;
    this.#options.clog(port, true);
    return true;
  }

  resume(): void {
    if (this.#clogged !== undefined) this.#options.clog(this.#clogged, false);
    this.#clogged = undefined;
    this.#response?.resume();
  }

  settle(): void {
    this.#tokens.settle();
  }

  #forget(): void {
    this.resume();
    this.#request = undefined;
    this.#response = undefined;
  }

  #open(replica: number): void {
    clearTimeout(this.#timer);
    this.#replica = replica;
    const url = this.#options.urlOf(replica);
    if (url === undefined) return this.#comeBackLater();
    const { cursor, view, spec } = this.#operation;
    if (cursor === undefined) view.asked();
    else this.#options.onResume();
    const { query, variables } = documentOf(spec);
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const opened = request(`${url}${BFF_PATH}?${search.toString()}`, {
      // A connection of its own, as browsers over HTTP/1.1 have it: what is clogged is this stream and no other.
      agent: false,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${this.#tokens.next()}`,
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      },
    });
    this.#request = opened;
    this.#tokens.inForce();
    opened.on('response', (response) => this.#read(opened, response));
    opened.on('error', () => undefined);
    opened.on('close', () => this.#request === opened && this.#closed());
    opened.end();
  }

  #read(opened: ClientRequest, response: IncomingMessage): void {
    response.on('error', () => undefined);
    if (this.#request !== opened) return void response.destroy();
    if (response.statusCode !== 200) {
      response.destroy();
      if (response.statusCode === 401 && this.#tokens.hasEnded) return;
      return this.#violated(`refused with ${response.statusCode}`);
    }
    this.#response = response;
    const reader = new EventStreamReader((event) => {
      if (this.#request === opened) this.#guarded(() => this.#take(event));
    });
    response.setEncoding('utf8').on('data', (text: string) => reader.take(text));
  }

  #closed(): void {
    this.#forget();
    this.#comeBackLater();
  }

  #comeBackLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wanted && this.#open(this.#replica + 1), COME_BACK_MS);
  }

  #take({ type, id, data }: StreamEvent): void {
    const operation = this.#operation;
    if (data !== undefined && type === 'next') this.#takeNext(JSON.parse(data) as Payload, id);
    // What follows an error that says "come back"; the stream's end is what the client comes back after.
    else if (type === 'complete' && !this.#refused)
      throw new ExactnessViolation(`${operation.view.toString()}: completed by itself`);
    if (id === undefined) return;
    operation.cursor = id;
    operation.view.accept();
  }

  #takeNext(payload: Payload, id: string | undefined): void {
    this.#refused = payload.data === undefined && payload.errors !== undefined && isTemporary(payload.errors);
    if (!this.#refused) this.#operation.view.take(payload, id ?? 'none');
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onViolation(error as Error);
    }
  }

  #violated(what: string): void {
    const violation = new ExactnessViolation(`${this.#operation.view.toString()}: ${what}`);
    this.#options.onViolation(violation);
  }
}

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createOperation, documentOf, isTemporary, type ClientOperation } from './client-operation.ts';
import { ClientTokens } from './client-tokens.ts';
import { EventStreamReader, type StreamEvent } from './event-stream-reader.ts';
import { ExactnessViolation, type ExpectedView, type Payload } from './expected-view.ts';
import { BFF_PATH } from './item-bff.ts';
import { RECONNECT_MS, type ResumingClient, type ResumingClientOptions } from './resuming-client.ts';

/** Client of GraphQL over SSE in "distinct connections mode": one stream per operation, resumed by `Last-Event-ID`. */
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

  /** SSE has no close handshake. */
  close(): void {
    this.vanish();
  }

  unsubscribe(): void {
    this.#streams[0]!.leave();
  }

  resubscribe(): boolean {
    return this.#streams[0]!.reopen();
  }

  pause(): boolean {
    return this.#streams.map((stream) => stream.pause()).includes(true);
  }

  resume(): void {
    for (const stream of this.#streams) stream.resume();
  }

  /** Not supported in this mode: the client reconnects with a new token after the old one has expired. */
  renew(): void {}

  settle(): void {
    for (const stream of this.#streams) stream.settle();
  }
}

/** One operation and its own connection. */
class OperationStream {
  readonly #operation: ClientOperation;
  readonly #options: ResumingClientOptions;
  readonly #tokens: ClientTokens;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #replica = 0;
  #isWanted = false;
  #timer: NodeJS.Timeout | undefined;
  #clogged: number | undefined;
  /** True when the last event was a temporary error. */
  #isRefused = false;

  constructor(operation: ClientOperation, options: ResumingClientOptions) {
    this.#operation = operation;
    this.#options = options;
    this.#tokens = new ClientTokens(options);
  }

  get view(): ExpectedView {
    return this.#operation.view;
  }

  connect(replica: number): void {
    this.#isWanted = true;
    if (!this.#request) this.#open(replica);
  }

  /** Replaces its stream by another one on the same replica. */
  reopen(): boolean {
    if (!this.#request) return false;
    this.leave();
    this.connect(this.#replica);
    return true;
  }

  leave(): void {
    const left = this.#request;
    this.#isWanted = false;
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
    if (url === undefined) return this.#reconnectLater();
    const { cursor, view, spec } = this.#operation;
    if (cursor === undefined) view.subscribed();
    else this.#options.onResume();
    const { query, variables } = documentOf(spec);
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const opened = request(`${url}${BFF_PATH}?${search.toString()}`, {
      // One connection per stream, as in browsers over HTTP/1.1: a clog affects this stream only.
      agent: false,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${this.#tokens.create()}`,
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      },
    });
    this.#request = opened;
    this.#tokens.useNewest();
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
      if (response.statusCode === 401 && this.#tokens.isExpired) return;
      return this.#violated(`refused with ${response.statusCode}`);
    }
    this.#response = response;
    const reader = new EventStreamReader((event) => {
      if (this.#request === opened) this.#guarded(() => this.#receive(event));
    });
    response.setEncoding('utf8').on('data', (text: string) => reader.push(text));
  }

  #closed(): void {
    this.#forget();
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#isWanted && this.#open(this.#replica + 1), RECONNECT_MS);
  }

  #receive({ type, id, data }: StreamEvent): void {
    const operation = this.#operation;
    if (data !== undefined && type === 'next') this.#receiveNext(JSON.parse(data) as Payload, id);
    // A temporary error is followed by `complete` and the end of the stream, after which the client reconnects.
    else if (type === 'complete' && !this.#isRefused)
      throw new ExactnessViolation(`${operation.view.toString()}: completed by itself`);
    if (id === undefined) return;
    operation.cursor = id;
    operation.view.accept();
  }

  #receiveNext(payload: Payload, id: string | undefined): void {
    this.#isRefused =
      payload.data === undefined && payload.errors !== undefined && isTemporary(payload.errors);
    if (!this.#isRefused) this.#operation.view.receive(payload, id ?? 'none');
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onViolation(error as Error);
    }
  }

  #violated(problem: string): void {
    const violation = new ExactnessViolation(`${this.#operation.view.toString()}: ${problem}`);
    this.#options.onViolation(violation);
  }
}

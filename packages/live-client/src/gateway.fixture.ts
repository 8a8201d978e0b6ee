import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildSchema, GraphQLError, parse, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { SingleConnectionFixture, type FixtureOperation } from './single-connection.fixture.ts';

const schema = buildSchema(`
  type Query { ok: Boolean }
  type Subscription { changes: Int once: Int forbidden: Int }
`);

export interface FixtureChange {
  readonly key: string;
  readonly version: number;
}

/** One message of a subscription: a change, or the cursor of an idle subscription. */
type Entry = { readonly position: number } | { readonly index: number; readonly change: FixtureChange };

/**
 * A small gateway: a log of changes, a cursor that is the index of the next change, a real `ws` server, and event
 * streams at the same path. It repeats the last change on each resume, as an at-least-once stream may.
 */
export class GatewayFixture {
  readonly log: FixtureChange[] = [];
  readonly cursorsSeen: (string | undefined)[] = [];
  readonly authorizations: unknown[] = [];
  /** Authorizations received in a `ping`. */
  readonly renewals: unknown[] = [];
  readonly queries: { authorization: string | undefined; body: string }[] = [];
  /** Authorizations of requests for an event stream. */
  readonly streamAuthorizations: (string | undefined)[] = [];
  /** Sends cursors of idle subscriptions, by sentence 10 of the protocol. */
  sendsIdleCursors = false;
  /** Refuses upgrades, as a proxy without WebSocket support does. */
  blocksUpgrades = false;
  /** Answers neither streams nor sockets, and closes none. */
  isFrozen = false;
  /** Error code for every subscription with a cursor. */
  refuseCursorWith: string | undefined;
  /** Error code that ends the subscriptions in place of their next change, once. */
  endNextWith: string | undefined;
  closeNextConnectionWith: number | undefined;
  /** Tokens refused with 4401, or 401 for an event stream. */
  readonly refusedTokens = new Set<string>();
  /** `expiresAt` in the `pong` to a renewal. */
  renewedUntil: string | undefined;
  upgradesSeen = 0;
  port = 0;
  answerQueries: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.setHeader('content-type', 'application/json').end('{"data":{"ok":true}}');
  readonly #wakers = new Set<() => void>();
  readonly #streams = new Set<ServerResponse>();
  readonly #cursorRequests = new Set<() => void>();
  readonly shared = new SingleConnectionFixture((operation) => this.#subscribe(operation));
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  constructor() {
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#sockets = new WebSocketServer({ noServer: true });
    this.#http.on('upgrade', (request, socket, head) => {
      this.upgradesSeen += 1;
      socket.on('error', () => {});
      if (this.blocksUpgrades) return socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
      this.#sockets.handleUpgrade(request, socket, head, (made) =>
        this.#sockets.emit('connection', made, request),
      );
    });
    useServer<{ authorization?: string }>(
      {
        onConnect: ({ connectionParams, extra }) => {
          this.authorizations.push(connectionParams?.authorization);
          const code = this.#refuses(connectionParams?.authorization) ? 4401 : this.closeNextConnectionWith;
          this.closeNextConnectionWith = undefined;
          if (code !== undefined) extra.socket.close(code, 'as told');
          return code === undefined;
        },
        onPing: ({ extra }, payload) => {
          const tidegate = (payload as { tidegate?: { authorization?: unknown } } | undefined)?.tidegate;
          if (!tidegate) return;
          this.renewals.push(tidegate.authorization);
          const answer = { tidegate: { expiresAt: this.renewedUntil } };
          extra.socket.send(JSON.stringify({ type: 'pong', payload: answer }));
        },
        onSubscribe: ({ extra }, id, { query, extensions }): ExecutionArgs => {
          const cursor = extensions?.['cursor'] as string | undefined;
          const sendCursor = (position: string): void => {
            const payload = { tidegate: { cursors: { [id]: position } } };
            extra.socket.send(JSON.stringify({ type: 'ping', payload }));
          };
          const subscription: FixtureOperation = { query, cursor, sendCursor };
          return { schema, document: parse(query), contextValue: subscription };
        },
        subscribe: (({ contextValue }: { contextValue: FixtureOperation }) =>
          this.#subscribe(contextValue)) as never,
      },
      this.#sockets,
    );
  }

  async listen(port = 0): Promise<void> {
    this.#http.listen(port, '127.0.0.1');
    await once(this.#http, 'listening');
    this.port = (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql/web`;
  }

  /** Open WebSockets and event streams. */
  get connections(): number {
    return this.#sockets.clients.size + this.#streams.size + this.shared.streams.length;
  }

  get webSockets(): number {
    return this.#sockets.clients.size;
  }

  publish(key: string, version: number): void {
    this.log.push({ key, version });
    this.#wake();
  }

  /** Ends every subscription with an error in place of its next change. */
  endWith(code: string): void {
    this.endNextWith = code;
    this.#wake();
  }

  /** Sends its cursor to every idle subscription. */
  sendIdleCursors(): void {
    for (const request of this.#cursorRequests) request();
  }

  /** Stops reading: connections stay open without a message. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.#sockets.clients) socket.pause();
  }

  /** Ends every connection, with a close code or without a closing handshake. */
  drop(closeCode?: number): void {
    for (const socket of this.#sockets.clients) {
      if (closeCode === undefined) socket.terminate();
      else socket.close(closeCode);
    }
    for (const stream of [...this.#streams, ...this.shared.streams]) stream.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.drop();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }

  #refuses(authorization: string | undefined): boolean {
    return this.refusedTokens.has(authorization?.replace('Bearer ', '') ?? '');
  }

  #refuse(response: ServerResponse): void {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refusal('TOKEN_EXPIRED')));
  }

  #subscribe(subscription: FixtureOperation): AsyncGenerator<ExecutionResult> | ExecutionResult {
    const { query, cursor } = subscription;
    this.cursorsSeen.push(cursor);
    if (query.includes('forbidden')) return refusal('FORBIDDEN');
    if (cursor !== undefined && this.refuseCursorWith) return refusal(this.refuseCursorWith);
    if (query.includes('once')) return this.#once();
    return this.#results(subscription);
  }

  async *#once(): AsyncGenerator<ExecutionResult> {
    yield { data: { once: 1 }, extensions: { cursor: '0', kind: 'snapshot', key: 'once', version: 1 } };
  }

  async *#results({ cursor, sendCursor }: FixtureOperation): AsyncGenerator<ExecutionResult> {
    const from = cursor === undefined ? this.log.length : Math.max(0, Number(cursor) - 1);
    for await (const entry of this.#entries(from)) {
      if (this.endNextWith) {
        const code = this.endNextWith;
        this.endNextWith = undefined;
        yield refusal(code);
        return;
      }
      if ('position' in entry) {
        if (this.sendsIdleCursors) sendCursor(String(entry.position));
        continue;
      }
      const extensions = { cursor: String(entry.index + 1), kind: 'change', ...entry.change };
      yield { data: { changes: entry.index }, extensions };
    }
  }

  /** Yields the changes from an index, and a position when there is no further change or a test asks for one. */
  async *#entries(from: number): AsyncGenerator<Entry> {
    for (let index = from; ; index++) {
      while (index >= this.log.length) {
        yield { position: index };
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakers.add(resolve);
        this.#cursorRequests.add(resolve);
        await promise;
        this.#wakers.delete(resolve);
        this.#cursorRequests.delete(resolve);
        if (this.endNextWith) yield { position: index };
      }
      yield { index, change: this.log[index] as FixtureChange };
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (this.isFrozen && (request.method !== 'POST' || 'x-graphql-event-stream-token' in request.headers))
      return;
    if (request.method === 'PUT' && this.#refuses(request.headers.authorization))
      return this.#refuse(response);
    if (this.shared.answer(request, body, response)) return;
    if (request.headers.accept?.includes('text/event-stream')) {
      if (!this.isFrozen) await this.#stream(request.headers.authorization, body, response);
      return;
    }
    this.queries.push({ authorization: request.headers.authorization, body });
    this.answerQueries(request, response);
  }

  async #stream(authorization: string | undefined, body: string, response: ServerResponse): Promise<void> {
    this.streamAuthorizations.push(authorization);
    if (this.#refuses(authorization)) return this.#refuse(response);
    const { query, extensions } = JSON.parse(body) as { query: string; extensions?: { cursor?: string } };
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(':\n\n');
    const sendCursor = (position: string): void => void response.write(`: cursor ${position}\n\n`);
    const results = this.#subscribe({ query, cursor: extensions?.cursor, sendCursor });
    for await (const result of Symbol.asyncIterator in results ? results : [results]) {
      if (response.destroyed) return;
      const id = result.extensions?.['cursor'] as string | undefined;
      const data = JSON.stringify(result);
      response.write(`${id === undefined ? '' : `id: ${id}\n`}event: next\ndata: ${data}\n\n`);
    }
    response.end('event: complete\ndata:\n\n');
  }
}

function refusal(code: string): ExecutionResult {
  return { errors: [new GraphQLError(`refused with ${code}`, { extensions: { code } })] };
}

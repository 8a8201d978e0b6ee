import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildSchema, GraphQLError, parse, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema(`
  type Query { ok: Boolean }
  type Subscription { changes: Int once: Int forbidden: Int }
`);

export interface FixtureChange {
  readonly key: string;
  readonly version: number;
}

/**
 * A gateway in small: a log of changes, a cursor that is the index of the next one, a real `ws` server. It repeats
 * the last change on every resume, as an at-least-once stream may.
 */
export class GatewayFixture {
  readonly log: FixtureChange[] = [];
  readonly cursorsSeen: (string | undefined)[] = [];
  readonly authorizations: unknown[] = [];
  readonly queries: { authorization: string | undefined; body: string }[] = [];
  /** What the next subscription with a cursor is refused with. */
  refuseCursorWith: string | undefined;
  closeNextConnectionWith: number | undefined;
  port = 0;
  answerQueries: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.setHeader('content-type', 'application/json').end('{"data":{"ok":true}}');
  readonly #wakers = new Set<() => void>();
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  constructor() {
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#sockets = new WebSocketServer({ server: this.#http, path: '/graphql/web' });
    useServer<{ authorization?: string }>(
      {
        onConnect: ({ connectionParams, extra }) => {
          this.authorizations.push(connectionParams?.authorization);
          const code = this.closeNextConnectionWith;
          this.closeNextConnectionWith = undefined;
          if (code !== undefined) extra.socket.close(code, 'as told');
          return code === undefined;
        },
        onSubscribe: (_context, _id, { query, extensions }): ExecutionArgs => {
          const cursor = extensions?.['cursor'] as string | undefined;
          this.cursorsSeen.push(cursor);
          return { schema, document: parse(query), contextValue: { query, cursor } };
        },
        subscribe: (({ contextValue }: { contextValue: { query: string; cursor?: string } }) =>
          this.#subscribe(contextValue.query, contextValue.cursor)) as never,
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

  get connections(): number {
    return this.#sockets.clients.size;
  }

  publish(key: string, version: number): void {
    this.log.push({ key, version });
    for (const wake of this.#wakers) wake();
  }

  /** Cuts every connection, with a close code or without a word. */
  drop(closeCode?: number): void {
    for (const socket of this.#sockets.clients) {
      if (closeCode === undefined) socket.terminate();
      else socket.close(closeCode);
    }
  }

  async close(): Promise<void> {
    this.drop();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #subscribe(query: string, cursor: string | undefined): AsyncGenerator<ExecutionResult> | ExecutionResult {
    if (query.includes('forbidden')) return refusal('FORBIDDEN');
    if (cursor !== undefined && this.refuseCursorWith) return refusal(this.refuseCursorWith);
    if (query.includes('once')) return this.#once();
    return this.#changes(cursor === undefined ? this.log.length : Math.max(0, Number(cursor) - 1));
  }

  async *#once(): AsyncGenerator<ExecutionResult> {
    yield { data: { once: 1 }, extensions: { cursor: '0', kind: 'snapshot', key: 'once', version: 1 } };
  }

  async *#changes(from: number): AsyncGenerator<ExecutionResult> {
    for (let index = from; ; index++) {
      while (index >= this.log.length) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakers.add(resolve);
        await promise;
        this.#wakers.delete(resolve);
      }
      const change = this.log[index] as FixtureChange;
      const extensions = { cursor: String(index + 1), kind: 'change', ...change };
      yield { data: { changes: index }, extensions };
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.queries.push({ authorization: request.headers.authorization, body });
    this.answerQueries(request, response);
  }
}

function refusal(code: string): ExecutionResult {
  return { errors: [new GraphQLError(`refused with ${code}`, { extensions: { code } })] };
}

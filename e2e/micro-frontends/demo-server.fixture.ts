import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { readSchema } from '@tidegate/bff';
import {
  buildSchema,
  execute,
  graphql,
  GraphQLError,
  parse,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema(readSchema(new URL('../../bffs/web/src/schema/', import.meta.url)));

export type DemoOrder = Record<string, unknown> & { id: string; version: number; status: string };

interface Change {
  readonly key: string;
  readonly version: number;
  readonly field: 'orders' | 'stock';
  readonly data: unknown;
}

/** Handles all requests except GraphQL: the composition under test. */
export type Fallback = (request: Request) => Promise<Response | undefined>;

/** A small web BFF on the real schema: state in memory and a log of changes, whose indexes are the cursors. */
export class DemoServer {
  readonly orders = new Map<string, DemoOrder>();
  readonly products = new Map<
    string,
    { stock: { version: number } & Record<string, unknown> } & Record<string, unknown>
  >();
  /** False: `/dev/token` answers 404, as in production. */
  issuesTokens = true;
  /** Rejects `placeOrder` with this reason. Default: orders are accepted. */
  rejectWith: { code: string; message: string } | undefined;
  /** Error code for every subscription with a cursor. */
  refuseCursorWith: string | undefined;
  /** Documents of all queries and mutations. */
  readonly queries: string[] = [];
  readonly #tokens = new Map<{ close(code: number, reason: string): void }, string>();
  #frozen = false;
  /** Sockets of upgrade requests that were received while frozen. No HTTP server and no WebSocket closes them. */
  readonly #unanswered = new Set<Duplex>();
  readonly #log: Change[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #fallback: Fallback;

  constructor(fallback: Fallback) {
    this.#fallback = fallback;
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#sockets = new WebSocketServer({ noServer: true });
    this.#http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      if (this.#frozen) return void this.#unanswered.add(socket);
      this.#sockets.handleUpgrade(request, socket, head, (made) =>
        this.#sockets.emit('connection', made, request),
      );
    });
    useServer(
      {
        onConnect: ({ connectionParams, extra }) => {
          const authorization = String(connectionParams?.['authorization']);
          this.#tokens.set(extra.socket, authorization.replace('Bearer ', ''));
          extra.socket.on('close', () => this.#tokens.delete(extra.socket));
          return authorization.startsWith('Bearer ');
        },
        onSubscribe: (_context, _id, { query, variables, extensions }): ExecutionArgs => ({
          schema,
          document: parse(query),
          variableValues: variables ?? {},
          contextValue: extensions?.['cursor'],
        }),
        subscribe: ((args: ExecutionArgs) => this.#subscribe(args)) as never,
      },
      this.#sockets,
    );
  }

  async listen(): Promise<string> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Stores an order and pushes it to subscribers. */
  publish(order: DemoOrder): void {
    this.orders.set(order.id, order);
    this.#append({ key: order.id, version: order.version, field: 'orders', data: order });
  }

  publishStock(productId: string, available: number): void {
    const product = this.products.get(productId);
    if (!product) throw new Error(`no product ${productId}`);
    product.stock = { ...product.stock, available, version: product.stock.version + 1 };
    this.#append({ key: productId, version: product.stock.version, field: 'stock', data: product.stock });
  }

  /** Answers nothing and closes nothing, as a network without a route. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets.clients) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    this.dropConnections();
  }

  /** Closes the connections whose token has expired. Returns true when there was one. */
  dropExpired(): boolean {
    const expired = [...this.#tokens].filter(([, token]) => isExpired(token));
    for (const [socket] of expired) socket.close(4401, 'The token has expired.');
    return expired.length > 0;
  }

  dropConnections(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const socket of this.#unanswered) socket.destroy();
    this.#unanswered.clear();
  }

  async close(): Promise<void> {
    this.dropConnections();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #append(change: Change): void {
    this.#log.push(change);
    for (const resume of this.#waiting) resume();
  }

  #subscribe(args: ExecutionArgs): AsyncGenerator<ExecutionResult> | ExecutionResult {
    const code = args.contextValue === undefined ? undefined : this.refuseCursorWith;
    return code ? { errors: [new GraphQLError(code, { extensions: { code } })] } : this.#results(args);
  }

  async *#results(args: ExecutionArgs): AsyncGenerator<ExecutionResult> {
    const { field, key } = fieldAndKey(args);
    const snapshot = key === undefined ? undefined : (this.orders.get(key) ?? this.products.get(key)?.stock);
    const cursor = args.contextValue as string | undefined;
    let index = cursor === undefined ? this.#log.length : Number(cursor);
    const result = async (data: unknown, facts: object): Promise<ExecutionResult> => {
      const executed = await execute({ ...args, rootValue: { [field]: data } });
      return { ...executed, extensions: { cursor: String(index), ...facts } };
    };
    if (snapshot && key !== undefined && cursor === undefined) {
      yield await result(snapshot, { kind: 'snapshot', key, version: snapshot.version });
    }
    for (;;) {
      while (index >= this.#log.length) await this.#appended();
      const change = this.#log[index++] as Change;
      if (
        change.field !== (field === 'stock' ? 'stock' : 'orders') ||
        (key !== undefined && key !== change.key)
      )
        continue;
      yield await result(change.data, { kind: 'change', key: change.key, version: change.version });
    }
  }

  /** Resolves at the next change. */
  async #appended(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const answer = await this.#respond(request, body);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  async #respond(request: IncomingMessage, body: string): Promise<Response> {
    if (request.url === '/dev/token') {
      if (!this.issuesTokens) return new Response(null, { status: 404 });
      return Response.json({ token: 'a.b.c', expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    }
    // No event streams here: a client without a WebSocket tries them.
    if (request.url === '/graphql/web' && request.method !== 'POST')
      return new Response(null, { status: 405 });
    if (request.url === '/graphql/web') return Response.json(await this.#execute(body));
    const headers = Object.entries(request.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    );
    const forwarded = new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
    });
    return (await this.#fallback(forwarded)) ?? new Response(null, { status: 404 });
  }

  #execute(body: string): Promise<ExecutionResult> {
    const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
    this.queries.push(query);
    const rootValue = {
      orders: ({ first, after, status }: { first: number; after?: string; status?: string[] }) => {
        const all = [...this.orders.values()].filter((order) => status?.includes(order.status) ?? true);
        return page(all.reverse(), first, after);
      },
      products: () => page([...this.products.values()], 100),
      placeOrder: ({ input }: { input: { commandId: string; lines: unknown[] } }) => this.#place(input),
      cancelOrder: ({ input }: { input: { orderId: string } }) => {
        const order = this.orders.get(input.orderId) as DemoOrder;
        const rejection = { code: 'CANCELLED_BY_CUSTOMER', message: 'Cancelled by the customer' };
        this.publish({ ...order, version: order.version + 1, status: 'CANCELLED', rejection });
        return { __typename: 'CommandAccepted', commandId: 'c', orderId: order.id, token: 't' };
      },
    };
    return graphql({ schema, source: query, rootValue, variableValues: variables ?? {} });
  }

  #place({ commandId, lines }: { commandId: string; lines: unknown[] }) {
    if (this.rejectWith) return { __typename: 'CommandRejected', commandId, reason: this.rejectWith };
    const id = `order-${this.orders.size + 1}`;
    const priced = lines.map((line) => ({
      ...(line as object),
      unitPrice: { amountCents: 1_000, currency: 'EUR' },
    }));
    this.publish(demoOrder({ id, lines: priced }));
    return { __typename: 'CommandAccepted', commandId, orderId: id, token: 't' };
  }
}

function isExpired(token: string): boolean {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const { exp = Infinity } = payload.startsWith('{') ? (JSON.parse(payload) as { exp?: number }) : {};
  return exp * 1_000 <= Date.now();
}

export function demoOrder(some: Partial<DemoOrder> & { id: string }): DemoOrder {
  const now = new Date().toISOString();
  return {
    version: 1,
    status: 'PLACED',
    customerId: 'customer-1',
    lines: [{ productId: 'tent', quantity: 1, unitPrice: { amountCents: 27_900, currency: 'EUR' } }],
    total: { amountCents: 27_900, currency: 'EUR' },
    steps: [{ status: 'PLACED', at: now }],
    placedAt: now,
    updatedAt: now,
    ...some,
  };
}

/** Returns a page; the cursor is the index of the next item. */
function page(all: readonly unknown[], first: number, after = '0') {
  const end = Math.min(all.length, Number(after) + first);
  const edges = all.slice(Number(after), end).map((node) => ({ cursor: '', node }));
  const pageInfo = { hasNextPage: end < all.length, endCursor: String(end) };
  return { edges, totalCount: all.length, pageInfo };
}

/** Returns the subscription's field and, for a field of one order or product, its key. */
function fieldAndKey({ document, variableValues }: ExecutionArgs): {
  field: string;
  key: string | undefined;
} {
  const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
  const selection =
    operation && 'selectionSet' in operation ? operation.selectionSet?.selections[0] : undefined;
  const field = selection && 'name' in selection ? selection.name.value : '';
  const key = Object.values(variableValues ?? {})[0];
  return { field, key: typeof key === 'string' ? key : undefined };
}

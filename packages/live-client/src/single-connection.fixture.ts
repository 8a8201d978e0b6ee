import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';

export interface FixtureOperation {
  readonly query: string;
  readonly cursor: string | undefined;
  readonly sendCursor: (cursor: string) => void;
}

type Results = AsyncGenerator<ExecutionResult> | ExecutionResult;

/** "Single connection mode" of GraphQL over SSE in the gateway fixture. */
export class SingleConnectionFixture {
  /** Authorizations of requests of this mode. */
  readonly authorizations: (string | undefined)[] = [];
  /** True: a request of a stream reaches another process than the stream. */
  isDivided = false;
  readonly #subscribe: (operation: FixtureOperation) => Results;
  readonly #streams = new Map<string, ServerResponse>();
  readonly #operations = new Map<string, AsyncGenerator<ExecutionResult>>();

  constructor(subscribe: (operation: FixtureOperation) => Results) {
    this.#subscribe = subscribe;
  }

  get streams(): readonly ServerResponse[] {
    return [...this.#streams.values()];
  }

  get operations(): number {
    return this.#operations.size;
  }

  /** Answers a request of this mode. Returns false for any other. */
  answer(request: IncomingMessage, body: string, response: ServerResponse): boolean {
    const token = request.headers['x-graphql-event-stream-token'];
    if (request.method === 'PUT') response.writeHead(201).end(randomUUID());
    else if (typeof token !== 'string') return false;
    else if (this.isDivided && request.method !== 'GET')
      response.writeHead(404).end('{"errors":[{"message":"none"}]}');
    else if (request.method === 'GET') this.#open(token, response);
    else if (request.method === 'DELETE') this.#stop(token, request, response);
    else this.#start(token, body, response);
    this.authorizations.push(request.headers.authorization);
    return true;
  }

  #open(token: string, response: ServerResponse): void {
    this.#streams.set(token, response);
    response.on('close', () => {
      this.#streams.delete(token);
      for (const [name, results] of this.#operations) {
        if (!name.startsWith(token)) continue;
        this.#operations.delete(name);
        void results.return(undefined);
      }
    });
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(':\n\n');
  }

  #stop(token: string, { url = '' }: IncomingMessage, response: ServerResponse): void {
    const name = `${token} ${new URL(url, 'http://localhost').searchParams.get('operationId')}`;
    void this.#operations.get(name)?.return(undefined);
    this.#operations.delete(name);
    response.writeHead(200).end();
  }

  #start(token: string, body: string, response: ServerResponse): void {
    const stream = this.#streams.get(token);
    if (!stream) return void response.writeHead(404).end('{"errors":[{"message":"none"}]}');
    const { query, extensions } = JSON.parse(body) as {
      query: string;
      extensions: { operationId: string; cursor?: string };
    };
    const { operationId: id, cursor } = extensions;
    const sendCursor = (at: string): void => void stream.write(`: cursors {"${id}":"${at}"}\n\n`);
    const results = this.#subscribe({ query, cursor, sendCursor });
    response.writeHead(202).end();
    void this.#write(stream, id, `${token} ${id}`, results);
  }

  async #write(stream: ServerResponse, id: string, name: string, results: Results): Promise<void> {
    if (Symbol.asyncIterator in results) this.#operations.set(name, results);
    for await (const payload of Symbol.asyncIterator in results ? results : [results]) {
      if (stream.destroyed) return;
      stream.write(`event: next\ndata: ${JSON.stringify({ id, payload })}\n\n`);
    }
    this.#operations.delete(name);
    stream.write(`event: complete\ndata: ${JSON.stringify({ id })}\n\n`);
  }
}

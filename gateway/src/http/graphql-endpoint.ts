import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes, isErrorCode, TidegateError } from '@tidegate/errors';
import type { GraphQLError } from 'graphql';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { BffServer, RequestFacts } from '../graphql/bff-server.ts';
import type { OperationParams } from '../graphql/document-cache.ts';
import { serveEventStream, wantsEventStream, type SseHandlerOptions } from '../transports/sse/sse-handler.ts';
import { readBody, tooLarge } from './body.ts';
import { parseBodyParams, parseQueryParams } from './graphql-params.ts';

export interface GraphqlEndpointOptions extends SseHandlerOptions {
  readonly server: BffServer;
  readonly verifier: TokenVerifier;
  readonly maxBodyBytes: number;
}

/** GraphQL over HTTP for one BFF: queries and mutations by Yoga, subscriptions as Server-Sent Events by the hub. */
export class GraphqlEndpoint {
  readonly #options: GraphqlEndpointOptions;

  constructor(options: GraphqlEndpointOptions) {
    this.#options = options;
  }

  /** Never rejects: what goes wrong is answered. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#refuseTooLarge(request);
      refuseUnreadable(request);
      const viewer = await this.#options.verifier.verify(request.headers.authorization);
      const { traceparent } = request.headers;
      const facts = { viewer, traceparent: typeof traceparent === 'string' ? traceparent : undefined };
      if (wantsEventStream(request)) await this.#serveEventStream(request, response, facts);
      else await this.#options.server.yoga(request, response, { facts });
    } catch (error) {
      this.#answerErrors(response, this.#options.server.errors(error));
    }
  }

  /** Said before the body is read: Yoga would say it too, in other words. */
  #refuseTooLarge(request: IncomingMessage): void {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > this.#options.maxBodyBytes) throw tooLarge(this.#options.maxBodyBytes);
  }

  async #serveEventStream(
    request: IncomingMessage,
    response: ServerResponse,
    facts: RequestFacts,
  ): Promise<void> {
    const { server } = this.#options;
    const params = await this.#params(request);
    if (server.operationKind(params) === 'subscription') {
      return serveEventStream(this.#options, server, params, facts, request, response);
    }
    if (request.method === 'GET' && server.operationKind(params) === 'mutation') {
      response.setHeader('allow', 'POST');
      throw new TidegateError('METHOD_NOT_ALLOWED', 'A mutation is sent by POST.');
    }
    const result = await server.execute(params, facts);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    response.end(`event: next\ndata: ${JSON.stringify(result)}\n\nevent: complete\ndata:\n\n`);
  }

  async #params(request: IncomingMessage): Promise<OperationParams> {
    if (request.method === 'GET') {
      return parseQueryParams(new URL(request.url ?? '/', 'http://gateway').searchParams);
    }
    return parseBodyParams(await readBody(request, this.#options.maxBodyBytes));
  }

  #answerErrors(response: ServerResponse, errors: readonly GraphQLError[]): void {
    if (response.headersSent) return void response.destroy();
    const code = errors[0]?.extensions['code'];
    const status = isErrorCode(code) ? errorCodes[code].httpStatus : 500;
    const visible = errors.map((error) => {
      const { http: _http, ...extensions } = error.extensions;
      return { ...error.toJSON(), extensions };
    });
    response.writeHead(status, {
      'content-type': 'application/graphql-response+json; charset=utf-8',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(status === 413 && { connection: 'close' }),
    });
    response.end(JSON.stringify({ errors: visible }));
  }
}

const READABLE = /^application\/(json|graphql|graphql\+json|x-www-form-urlencoded)\b/i;

/** A body of a type that nobody reads gets its own code. @throws TidegateError UNSUPPORTED_MEDIA_TYPE */
function refuseUnreadable(request: IncomingMessage): void {
  if (request.method !== 'POST' || READABLE.test(request.headers['content-type'] ?? '')) return;
  throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'Send the operation as application/json.');
}

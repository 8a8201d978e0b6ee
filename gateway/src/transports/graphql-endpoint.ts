import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes, isErrorCode, TidegateError } from '@tidegate/core';
import type { GraphQLError } from 'graphql';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { OperationParams } from '../graphql/document-cache.ts';
import { authorizationOf } from './sse/request.ts';
import { SseTransport, type SseTransportOptions } from './sse/transport.ts';
import { visibleErrors } from './sse/visible-errors.ts';
import type { ClientAddresses } from '../admission/client-address.ts';
import type { EdgeFacts } from './edge-facts.ts';
import { answerPreflight, type OriginPolicy } from '../admission/origin-policy.ts';
import { readBody, requireBodyWithin } from '@tidegate/runtime/http';
import { parseBodyParams, parseQueryParams } from './http/params.ts';

export interface GraphqlEndpointOptions extends SseTransportOptions {
  readonly verifier: TokenVerifier;
  readonly addresses: ClientAddresses;
  readonly origins: OriginPolicy;
  readonly maxBodyBytes: number;
}

/** GraphQL over HTTP for one BFF: queries and mutations by Yoga, event streams by their own transport. */
export class GraphqlEndpoint {
  readonly #options: GraphqlEndpointOptions;
  readonly #sse: SseTransport;

  constructor(options: GraphqlEndpointOptions) {
    this.#options = options;
    this.#sse = new SseTransport(options);
  }

  /** Never rejects: what goes wrong is answered. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origins, addresses, verifier } = this.#options;
    if (answerPreflight(request, response, origins)) return;
    origins.allowReading(request, response);
    try {
      // Before the body is read; Yoga would refuse it too, without our error code.
      requireBodyWithin(request, this.#options.maxBodyBytes);
      refuseUnreadable(request);
      const viewer = await verifier.verify(authorizationOf(request));
      const { traceparent } = request.headers;
      const facts: EdgeFacts = {
        viewer,
        traceparent: typeof traceparent === 'string' ? traceparent : undefined,
        address: addresses.of(request),
      };
      if (this.#sse.takes(request)) {
        await this.#sse.handle(request, response, facts, () => this.#params(request));
      } else await this.#options.server.yoga(request, response, { facts });
    } catch (error) {
      this.#answerErrors(response, this.#options.server.errors(error));
    }
  }

  /** Open event streams. */
  get streams(): number {
    return this.#sse.streams;
  }

  /** Ends the event streams, each at a time of its own within the window, and takes no more of them; resolves when none is left. */
  stop(windowMs = 0): Promise<void> {
    return this.#sse.stop(windowMs);
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
    response.writeHead(status, {
      'content-type': 'application/graphql-response+json; charset=utf-8',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(status === 413 && { connection: 'close' }),
      ...((status === 429 || status === 503) && { 'retry-after': '1' }),
    });
    response.end(JSON.stringify({ errors: visibleErrors(errors) }));
  }
}

const READABLE = /^application\/(json|graphql|graphql\+json|x-www-form-urlencoded)\b/i;

/** A body of a type that nobody reads gets its own code. @throws TidegateError UNSUPPORTED_MEDIA_TYPE */
function refuseUnreadable(request: IncomingMessage): void {
  if (request.method !== 'POST' || READABLE.test(request.headers['content-type'] ?? '')) return;
  throw new TidegateError('UNSUPPORTED_MEDIA_TYPE', 'Send the operation as application/json.');
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientAddresses } from '../admission/client-address.ts';
import { answerPreflight, type OriginPolicy } from '../admission/origin-policy.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { OperationParams } from '../graphql/operation-params.ts';
import { hasLeft } from './departed-client.ts';
import type { EdgeFacts } from './edge-facts.ts';
import { answerErrors } from './http/encoding.ts';
import { authorizationOf, readParams, requireReadableBody, traceparentOf } from './http/request.ts';
import { HttpTransport } from './http/transport.ts';
import { MultipartTransport } from './multipart/transport.ts';
import type { RequestSteps } from './request-steps.ts';
import { SseTransport, type SseTransportOptions } from './sse/transport.ts';

export interface GraphqlEndpointOptions extends SseTransportOptions {
  readonly verifier: TokenVerifier;
  readonly addresses: ClientAddresses;
  readonly origins: OriginPolicy;
  /** Maximum size of a request's body, in bytes. */
  readonly maxBodyBytes: number;
}

/** HTTP requests of one BFF: authorises each and passes it to the transport whose protocol it follows. */
export class GraphqlEndpoint {
  readonly #options: GraphqlEndpointOptions;
  readonly #http: HttpTransport;
  readonly #sse: SseTransport;
  readonly #multipart: MultipartTransport;

  constructor(options: GraphqlEndpointOptions) {
    this.#options = options;
    this.#http = new HttpTransport(options);
    this.#sse = new SseTransport(options);
    this.#multipart = new MultipartTransport(options);
  }

  /** Never rejects: errors are answered. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origins, maxBodyBytes, server } = this.#options;
    if (answerPreflight(request, response, origins)) return;
    origins.allowReading(request, response);
    try {
      requireReadableBody(request, maxBodyBytes);
      const facts = await this.#authorise(request);
      if (hasLeft(request, response)) return;
      let params: Promise<OperationParams> | undefined;
      const steps: RequestSteps = {
        readParams: () => (params ??= readParams(request, maxBodyBytes)),
        charge: (operation) => this.#charge(facts, response, operation),
      };
      const transport = await this.#transportOf(request, steps);
      await transport.handle(request, response, facts, steps);
    } catch (error) {
      // Nobody receives the answer, and a body that was cut off is no fault to log.
      if (hasLeft(request, response)) return void response.destroy();
      answerErrors(response, server.errors(error));
    }
  }

  /** Number of open streams, and of reserved event streams. */
  get streams(): number {
    return this.#sse.connections + this.#multipart.connections;
  }

  /** Takes no more streams and ends the open ones within the window. Resolves when none is left. */
  async stop(windowMs = 0): Promise<void> {
    await Promise.all([this.#sse.stop(windowMs), this.#multipart.stop(windowMs)]);
  }

  async #transportOf(
    request: IncomingMessage,
    steps: RequestSteps,
  ): Promise<SseTransport | MultipartTransport | HttpTransport> {
    if (await this.#sse.accepts(request, steps)) return this.#sse;
    return (await this.#multipart.accepts(request, steps)) ? this.#multipart : this.#http;
  }

  /** Charges one operation, and adds the rate limits to the headers of its response. @throws TidegateError RATE_LIMITED */
  async #charge(
    { viewer, address }: EdgeFacts,
    response: ServerResponse,
    params: OperationParams | undefined,
  ): Promise<void> {
    const { guards, server } = this.#options;
    const { headers, refusal } = await guards.rates.charge(viewer, address, server.costOf(params));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (refusal) throw refusal;
  }

  /** @throws TidegateError UNAUTHENTICATED, BAD_REQUEST */
  async #authorise(request: IncomingMessage): Promise<EdgeFacts> {
    const { verifier, addresses } = this.#options;
    const viewer = await verifier.verify(authorizationOf(request));
    return { viewer, traceparent: traceparentOf(request), address: addresses.of(request) };
  }
}

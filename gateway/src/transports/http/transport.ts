import type { IncomingMessage, ServerResponse } from 'node:http';
import { compressResponse } from '@tidegate/runtime/http';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { EdgeFacts } from '../edge-facts.ts';

export interface HttpTransportOptions {
  readonly server: BffServer;
}

/** GraphQL over HTTP for one BFF: queries and mutations, each with one response. Yoga implements the protocol. */
export class HttpTransport {
  readonly #server: BffServer;

  constructor({ server }: HttpTransportOptions) {
    this.#server = server;
  }

  /** @throws errors of Yoga itself; errors of the operation are in the response. */
  async handle(request: IncomingMessage, response: ServerResponse, facts: EdgeFacts): Promise<void> {
    compressResponse(request, response);
    // Read for each request: a replaced BFF has another Yoga.
    await this.#server.yoga(request, response, { facts });
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { compressResponse } from '@tidegate/runtime/http';
import { ByteAccount } from '../../admission/byte-account.ts';
import type { EdgeGuards } from '../../admission/connection-hold.ts';
import { operationBytes } from '../../admission/operation-bytes.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { hasLeft, untilDeparture } from '../departed-client.ts';
import type { RequestSteps } from '../request-steps.ts';
import { acceptedJson, notAcceptable, type JsonType } from './accept.ts';
import { answerErrors, answerResult } from './encoding.ts';
import { requireMethod } from './request.ts';

export interface HttpTransportOptions {
  readonly server: BffServer;
  readonly guards: Pick<EdgeGuards, 'admission'>;
}

/** GraphQL over HTTP for one BFF (https://graphql.github.io/graphql-over-http): queries and mutations. */
export class HttpTransport {
  readonly #server: BffServer;
  readonly #admission: EdgeGuards['admission'];

  constructor({ server, guards }: HttpTransportOptions) {
    this.#server = server;
    this.#admission = guards.admission;
  }

  /**
   * @throws TidegateError NOT_ACCEPTABLE, METHOD_NOT_ALLOWED. Other errors are answered in the type that is accepted.
   */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    { readParams, charge }: RequestSteps,
  ): Promise<void> {
    const type = acceptedJson(request);
    if (!type) throw notAcceptable();
    compressResponse(request, response);
    response.setHeader('vary', [...varyOf(response), 'accept'].join(', '));
    requireMethod(request, response, ['GET', 'POST']);
    try {
      // A body that holds no operation is charged too.
      const params = await readParams().catch((error: unknown) => charge().then(() => Promise.reject(error)));
      await charge(params);
      if (hasLeft(request, response)) return;
      await this.#execute(request, response, facts, params, type);
    } catch (error) {
      if (hasLeft(request, response)) return void response.destroy();
      answerErrors(response, this.#server.errors(error), type);
    }
  }

  async #execute(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    params: OperationParams,
    type: JsonType,
  ): Promise<void> {
    const kind = this.#server.operationKind(params);
    if (kind === 'mutation') requireMethod(request, response, ['POST']);
    if (kind === 'subscription') throw notAcceptable('stream');
    // A mutation that has begun is not aborted: its client could not tell how much of it was done.
    const signal = kind === 'query' ? untilDeparture(response) : undefined;
    const bytes = operationBytes(params, this.#server.document(params));
    const release = this.#admission.admitBytes(new ByteAccount(), facts.address, bytes);
    try {
      answerResult(response, await this.#server.execute(params, facts, signal), type);
    } finally {
      release();
    }
  }
}

function varyOf(response: ServerResponse): string[] {
  return [response.getHeader('vary') ?? []].flat().map(String);
}

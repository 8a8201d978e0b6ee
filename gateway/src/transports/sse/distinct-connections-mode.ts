import type { ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import { ByteAccount } from '../../admission/byte-account.ts';
import { operationBytes } from '../../admission/operation-bytes.ts';
import { visibleResult } from '../../graphql/error-codes.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import { untilDeparture } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { streamSubscription, type StreamOptions } from '../response-stream/subscription.ts';
import { DistinctEvents } from './encoding.ts';

/** An operation with the request that asks for it. */
export interface DistinctOperation {
  readonly facts: EdgeFacts;
  readonly params: OperationParams;
  /** @throws TidegateError CURSOR_INVALID */
  readonly cursor: () => string | undefined;
  /** Charges the operation to its viewer and address. @throws TidegateError RATE_LIMITED */
  readonly charge: () => Promise<void>;
  /** @throws TidegateError METHOD_NOT_ALLOWED for a mutation by GET. */
  readonly requireMethod: () => void;
}

/** Errors of the request rather than the operation: answered with their HTTP status. */
const ANSWERED_BY_STATUS: ReadonlySet<string> = new Set([
  'METHOD_NOT_ALLOWED',
  'TOO_MANY_CONNECTIONS',
  'TOO_MANY_SUBSCRIPTIONS',
]);

/** "Distinct connections mode" of the GraphQL over SSE protocol: each operation has a stream to itself. */
export class DistinctConnectionsMode {
  readonly #options: StreamOptions;
  readonly #events = new DistinctEvents();

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /**
   * Executes the operation and sends its results as an event stream. Errors of the operation are sent on the stream,
   * because EventSource does not expose the body of an error response.
   *
   * @throws TidegateError METHOD_NOT_ALLOWED, TOO_MANY_CONNECTIONS, TOO_MANY_SUBSCRIPTIONS
   */
  async serve(operation: DistinctOperation, response: ServerResponse): Promise<void> {
    const { server } = this.#options;
    const { params, facts } = operation;
    let signal: AbortSignal | undefined;
    try {
      await operation.charge();
      // The client may have left meanwhile.
      if (response.destroyed) return;
      operation.requireMethod();
      const kind = server.operationKind(params);
      if (kind === 'subscription') {
        const subscription = { facts, params, cursor: operation.cursor(), messages: this.#events };
        return streamSubscription(subscription, response, this.#options);
      }
      // A mutation that has begun is not aborted.
      if (kind === 'query') signal = untilDeparture(response);
    } catch (error) {
      if (error instanceof TidegateError && ANSWERED_BY_STATUS.has(error.code)) throw error;
      return this.#sendResult({ errors: server.errors(error) }, facts, response);
    }
    const result = await this.#execute(operation, signal);
    if (!response.destroyed) this.#sendResult(result, facts, response);
  }

  async #execute(
    { params, facts }: DistinctOperation,
    signal: AbortSignal | undefined,
  ): Promise<ExecutionResult> {
    const { server, guards } = this.#options;
    const bytes = operationBytes(params, server.document(params));
    const release = guards.admission.admitBytes(new ByteAccount(), facts.address, bytes);
    try {
      return await server.execute(params, facts, signal);
    } finally {
      release();
    }
  }

  #sendResult(result: ExecutionResult, facts: EdgeFacts, response: ServerResponse): void {
    const connection = this.#options.connect(facts, () => undefined);
    connection.attach(response);
    connection.queue.send(this.#events.result(visibleResult(result)));
    connection.queue.send(this.#events.complete());
    connection.complete();
  }
}

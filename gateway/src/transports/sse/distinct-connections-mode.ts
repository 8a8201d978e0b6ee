import type { ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import { ByteAccount } from '../../admission/byte-account.ts';
import { operationBytes, type OperationBytes } from '../../admission/operation-bytes.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import { visibleResult } from '../../graphql/error-codes.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import { untilDeparture } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { SseConnection } from './connection.ts';
import { DistinctEvents } from './encoding.ts';
import { SseSink } from './sink.ts';

export interface DistinctConnectionsModeOptions extends ConnectionOptions {
  readonly server: BffServer;
  readonly hub: LiveHub;
  /** Admits a connection. @throws TidegateError TOO_MANY_CONNECTIONS */
  readonly connect: (facts: EdgeFacts, onEnd: () => void) => SseConnection;
}

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
  readonly #options: DistinctConnectionsModeOptions;
  readonly #events = new DistinctEvents();

  constructor(options: DistinctConnectionsModeOptions) {
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
      if (kind === 'subscription') return this.#subscribe(operation, response);
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

  #subscribe({ facts, params, cursor }: DistinctOperation, response: ServerResponse): void {
    const { hub, metrics, server } = this.#options;
    const request = server.liveRequest(params, facts, cursor());
    let ended = false;
    let stop = (): void => undefined;
    const bytes = operationBytes(params, server.document(params));
    const connection = this.#connectSubscriber(facts, bytes, () => {
      ended = true;
      stop();
    });
    connection.expireAt(facts.viewer.expiresAtMs ?? Infinity);
    connection.attach(response);
    if (ended) return;
    const policy = request.field.overflow;
    const onEnd = (): void => connection.complete();
    const sink = new SseSink({ connection, events: this.#events, policy, metrics, onEnd });
    const subscription = hub.subscribe(request, sink);
    stop = () => subscription.stop();
    if (ended) stop();
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS, TOO_MANY_CONNECTIONS */
  #connectSubscriber(facts: EdgeFacts, bytes: OperationBytes, onEnd: () => void): SseConnection {
    const { connect, guards } = this.#options;
    const releases = [guards.admission.admitSubscription(facts)];
    const release = (): void => {
      for (const each of releases) each();
    };
    try {
      releases.push(guards.admission.admitBytes(new ByteAccount(), facts.address, bytes));
      return connect(facts, () => {
        release();
        onEnd();
      });
    } catch (error) {
      release();
      throw error;
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

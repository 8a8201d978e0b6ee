import type { TidegateError } from '@tidegate/core';
import { cursorOf, type OperationParams } from '../../graphql/operation-params.ts';
import type { LiveHub } from '../../live/hub.ts';
import { closesConnection } from '../closes-connection.ts';
import type { WebSocketConnection, WebSocketConnectionOptions } from './connection.ts';
import { createLiveIterator, type LiveIterator } from './live-iterator.ts';
import type { Operation } from './operation.ts';
import { WebSocketSink } from './sink.ts';

/**
 * Prepares one subscription operation of a connection. Errors of the operation are thrown now. It subscribes when the
 * returned function is called, unless the operation has ended by then.
 *
 * @throws errors of the document or of its authorisation; TidegateError TOO_MANY_SUBSCRIPTIONS.
 */
export function prepareSubscription(
  connection: WebSocketConnection,
  operation: Operation,
  params: OperationParams,
  options: WebSocketConnectionOptions & { readonly hub: LiveHub },
): () => LiveIterator {
  const { server, hub, metrics, guards } = options;
  const { facts, queue } = connection;
  const request = server.liveRequest(params, facts, cursorOf(params));
  operation.onEnd(guards.admission.admitSubscription(facts));

  return () => {
    const iterator = createLiveIterator(() => operation.end());
    operation.onEnd(() => iterator.end());
    if (operation.ended) return iterator;
    const end = (error?: TidegateError): void => {
      operation.running = undefined;
      if (error && closesConnection(error)) connection.close(error.code);
      else iterator.end(error);
    };
    const { id } = operation;
    const sink = new WebSocketSink({ queue, id, policy: request.field.overflow, metrics, onEnd: end });
    operation.sink = sink;
    operation.running = { request, live: hub.subscribe(request, sink), end };
    return iterator;
  };
}

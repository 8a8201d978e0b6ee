import type { TidegateError } from '@tidegate/core';
import { cursorOf, type OperationParams } from '../../graphql/operation-params.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import { closesConnection } from '../closes-connection.ts';
import type { RunningSubscription, WebSocketConnection, WebSocketConnectionOptions } from './connection.ts';
import { createLiveIterator, type LiveIterator } from './live-iterator.ts';
import { WebSocketSink } from './sink.ts';

/**
 * Prepares one subscription operation of a connection. Errors of the operation are thrown now. It subscribes when the
 * returned function is called, which graphql-ws always does; graphql-ws ends the iterator at once if the client has
 * disconnected in between.
 *
 * @throws errors of the document or of its authorisation; TidegateError TOO_MANY_SUBSCRIPTIONS.
 */
export function prepareSubscription(
  connection: WebSocketConnection,
  id: string,
  params: OperationParams,
  options: WebSocketConnectionOptions & { readonly hub: LiveHub },
): () => LiveIterator {
  const { server, hub, metrics, guards } = options;
  const { facts, queue, subscriptions } = connection;
  const request = server.liveRequest(params, facts, cursorOf(params));
  const release = guards.admission.admitSubscription(facts);

  return () => {
    let live: LiveSubscription | undefined;
    let running: RunningSubscription | undefined;
    const stop = (): void => {
      // The client may have reused the id.
      if (running && subscriptions.get(id) === running) subscriptions.delete(id);
      live?.stop();
      release();
    };
    const iterator = createLiveIterator(stop);
    const end = (error?: TidegateError): void => {
      stop();
      if (error && closesConnection(error)) connection.close(error.code);
      else iterator.end(error);
    };
    const policy = request.field.overflow;
    live = hub.subscribe(request, new WebSocketSink({ queue, id, policy, metrics, onEnd: end }));
    running = { request, live, end };
    subscriptions.set(id, running);
    return iterator;
  };
}

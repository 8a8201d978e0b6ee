import type { TidegateError } from '@tidegate/core';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import { createLiveIterator, type LiveIterator } from './live-iterator.ts';
import type { RunningSubscription, WebSocketConnection, WebSocketConnectionOptions } from './connection.ts';
import { WebSocketSink } from './sink.ts';

/**
 * One subscription operation of a connection. Refuses now, as an error of the operation; subscribes when the answer
 * is called, which graphql-ws always does, and ends what it is given at once when the client has gone meanwhile.
 *
 * @throws what is wrong with the document or the rights to it; TidegateError TOO_MANY_SUBSCRIPTIONS.
 */
export function createSubscription(
  connection: WebSocketConnection,
  id: string,
  params: OperationParams,
  options: WebSocketConnectionOptions & { readonly hub: LiveHub },
): () => LiveIterator {
  const { server, hub, metrics, guards } = options;
  const cursor = params.extensions?.['cursor'];
  const { facts, queue, subscriptions } = connection;
  const request = server.liveRequest(params, facts, typeof cursor === 'string' ? cursor : undefined);
  const release = guards.admission.subscription(facts);

  return () => {
    let live: LiveSubscription | undefined;
    let running: RunningSubscription | undefined;
    const stop = (): void => {
      // The id may have been used again.
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

/** Errors that say "come back" close the connection: what is still in its queue would only be lost with it. */
function closesConnection(error: TidegateError): boolean {
  return error.code === 'SLOW_CONSUMER' || error.code === 'DRAINING';
}

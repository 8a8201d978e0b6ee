import type { ServerResponse } from 'node:http';
import { ByteAccount } from '../../admission/byte-account.ts';
import { operationBytes, type OperationBytes } from '../../admission/operation-bytes.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { StreamConnection } from './connection.ts';
import type { OperationMessages } from './encoding.ts';
import { StreamSink } from './sink.ts';

export interface StreamOptions extends ConnectionOptions {
  readonly server: BffServer;
  readonly hub: LiveHub;
  /** Admits a connection. @throws TidegateError TOO_MANY_CONNECTIONS */
  readonly connect: (facts: EdgeFacts, onEnd: () => void) => StreamConnection;
}

export interface StreamedSubscription {
  readonly facts: EdgeFacts;
  readonly params: OperationParams;
  readonly cursor: string | undefined;
  readonly messages: OperationMessages;
}

/**
 * Serves one subscription with a response of its own, until either side ends it. Nothing is written when it throws.
 *
 * @throws errors of the document or of its authorisation; TidegateError TOO_MANY_SUBSCRIPTIONS, TOO_MANY_CONNECTIONS.
 */
export function streamSubscription(
  { facts, params, cursor, messages }: StreamedSubscription,
  response: ServerResponse,
  options: StreamOptions,
): void {
  const { hub, metrics, server } = options;
  const request = server.liveRequest(params, facts, cursor);
  let ended = false;
  let stop = (): void => undefined;
  const bytes = operationBytes(params, server.document(params));
  const connection = connectSubscriber(options, facts, bytes, () => {
    ended = true;
    stop();
  });
  connection.expireAt(facts.viewer.expiresAtMs ?? Infinity);
  connection.attach(response);
  if (ended) return;
  const policy = request.field.overflow;
  const onEnd = (): void => connection.complete();
  const sink = new StreamSink({ connection, messages, policy, metrics, onEnd });
  const subscription = hub.subscribe(request, sink);
  stop = () => subscription.stop();
  if (ended) stop();
}

/** @throws TidegateError TOO_MANY_SUBSCRIPTIONS, TOO_MANY_CONNECTIONS */
function connectSubscriber(
  { connect, guards }: StreamOptions,
  facts: EdgeFacts,
  bytes: OperationBytes,
  onEnd: () => void,
): StreamConnection {
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

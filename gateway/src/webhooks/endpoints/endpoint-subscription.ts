import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveRequest } from '../../live/live-request.ts';

/** What makes an endpoint a subscription: whose rights, which BFF, which operation. */
export interface WebhookSubscription {
  readonly partner: string;
  readonly bff: string;
  readonly document: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown>;
}

/**
 * The subscription as the live engine takes it: what is checked at registration is what filters and renders later.
 *
 * @throws GraphQLErrors (as AggregateError) or TidegateError, as `BffServer.liveRequest` does.
 */
export function prepareSubscription(
  servers: ReadonlyMap<string, BffServer>,
  subscription: WebhookSubscription,
): LiveRequest {
  const server = serverOf(servers, subscription.bff);
  const params = {
    query: subscription.document,
    operationName: subscription.operationName,
    variables: subscription.variables,
  };
  const kind = server.operationKind(params);
  if (kind !== 'subscription') {
    throw new TidegateError('BAD_USER_INPUT', `\`document\` has to be a subscription; it is a ${kind}.`, {
      details: { field: 'document' },
    });
  }
  const viewer: Viewer = { role: 'partner', id: subscription.partner };
  const request = server.liveRequest(params, { viewer, traceparent: undefined }, undefined);
  if (request.field.once) {
    throw new TidegateError(
      'BAD_USER_INPUT',
      '`document` subscribes to something that completes after one message; a webhook has no end.',
      { details: { field: 'document' } },
    );
  }
  return request;
}

/** @throws TidegateError BAD_USER_INPUT naming the BFFs there are. */
export function serverOf(servers: ReadonlyMap<string, BffServer>, name: string): BffServer {
  const server = servers.get(name);
  if (server) return server;
  const known = [...servers.keys()].join(', ');
  throw new TidegateError('BAD_USER_INPUT', `There is no BFF "${name}" here; there is ${known}.`, {
    details: { field: 'bff' },
  });
}

import { TidegateError } from '@tidegate/core';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveRequest } from '../../live/live-request.ts';
import type { EndpointRow } from '../tables.ts';

/** Subscription of an endpoint: the partner whose rights it has, the BFF and the operation. */
export interface EndpointSubscription {
  /** The partner, as its token named it. */
  readonly viewer: VerifiedViewer;
  /** Name of the BFF whose schema `document` is written for. */
  readonly bff: string;
  readonly document: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown>;
}

/**
 * Validates and authorises a subscription. Registration and dispatcher both call it, so an endpoint is matched and
 * rendered by the rules that it was accepted with.
 *
 * @throws AggregateError of GraphQLErrors when the document does not fit the schema.
 * @throws TidegateError BAD_USER_INPUT when the BFF is unknown, the operation is not a subscription, or its field
 * completes after one message.
 */
export function prepareSubscription(
  servers: ReadonlyMap<string, BffServer>,
  subscription: EndpointSubscription,
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
  const { viewer } = subscription;
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

/** Returns the stored subscription of an endpoint for this viewer. */
export function subscriptionOf(row: EndpointRow, viewer: VerifiedViewer): EndpointSubscription {
  return {
    viewer,
    bff: row.bff,
    document: row.document,
    operationName: row.operation_name ?? undefined,
    variables: JSON.parse(row.variables) as Record<string, unknown>,
  };
}

function serverOf(servers: ReadonlyMap<string, BffServer>, name: string): BffServer {
  const server = servers.get(name);
  if (server) return server;
  const known = [...servers.keys()].join(', ');
  throw new TidegateError('BAD_USER_INPUT', `There is no BFF "${name}" here; there is ${known}.`, {
    details: { field: 'bff' },
  });
}

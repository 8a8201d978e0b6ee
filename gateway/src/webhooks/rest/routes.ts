import { TidegateError } from '@tidegate/core';
import type { EventLog, PartitionEnds } from '@tidegate/event-log';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { DeliveryHistory } from '../deliveries/delivery-history.ts';
import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import type { TargetPolicy } from '../attempts/target-policy.ts';
import { ownerOf, type EndpointOwner } from '../endpoints/endpoint-owner.ts';
import { olderSecretsOf } from '../endpoints/older-secrets.ts';
import { prepareSubscription, subscriptionOf } from '../endpoints/endpoint-subscription.ts';
import type { EndpointRow } from '../tables.ts';
import { isoTime, encodeDelivery, encodeEndpoint } from './answers.ts';
import { defineRoute, type Route } from './route.ts';
import * as schemas from './schemas.ts';

export interface RoutesOptions {
  readonly servers: ReadonlyMap<string, BffServer>;
  readonly store: EndpointStore;
  readonly history: DeliveryHistory;
  readonly policy: TargetPolicy;
  readonly log: EventLog;
}

/** Creates the routes of the REST interface. */
export function createRoutes(options: RoutesOptions): readonly Route[] {
  return [register(options), ...readRoutes(options), ...changeRoutes(options), ...switchRoutes(options)];
}

function register({ servers, store, policy, log }: RoutesOptions): Route {
  return defineRoute({
    method: 'POST',
    path: '/webhooks/endpoints',
    operationId: 'registerEndpoint',
    roles: ['partner'],
    summary: 'Register an address for the changes that a GraphQL subscription selects from now on.',
    body: schemas.endpointInput,
    status: 201,
    answer: schemas.endpointWithSecret,
    run: async ({ viewer, body }) => {
      const { url, bff, document, operationName, variables } = body;
      const subscription = { viewer, bff, document, operationName, variables };
      const { field } = prepareSubscription(servers, subscription);
      const target = policy.parseUrl(url);
      await policy.resolve(target);
      const { epoch, ends } = await endsOf(log, field.stream.definition.topic.name);
      const offsets = ends.toSorted((a, b) => a.partition - b.partition).map(({ end }) => end);
      const startsAt = { epoch, offsets };
      const { row, secret } = await store.add({ ...subscription, url: target.href, startsAt });
      return { ...encodeEndpoint(row), secret };
    },
  });
}

/** @throws TidegateError UNAVAILABLE, also for a topic that its service has not created yet: partners know no topics. */
async function endsOf(log: EventLog, topic: string): Promise<{ epoch: string; ends: PartitionEnds[] }> {
  try {
    const [epoch, ends] = await Promise.all([log.epoch(topic), log.ends(topic)]);
    return { epoch, ends };
  } catch (cause) {
    throw new TidegateError('UNAVAILABLE', 'These changes cannot be read at the moment.', { cause });
  }
}

function readRoutes({ store, history }: RoutesOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints',
      operationId: 'listEndpoints',
      summary: 'Your endpoints, oldest first; for an operator those of every partner.',
      roles: ['partner', 'operator'],
      query: schemas.endpointQuery,
      status: 200,
      answer: schemas.endpointList,
      run: ({ viewer, query }) => endpointPage(store, ownerOf(viewer), query),
    }),
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints/{id}',
      operationId: 'getEndpoint',
      summary: 'One endpoint.',
      roles: ['partner', 'operator'],
      status: 200,
      answer: schemas.endpoint,
      run: async ({ viewer, id }) => encodeEndpoint(await store.get(ownerOf(viewer), id)),
    }),
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints/{id}/deliveries',
      operationId: 'listDeliveries',
      summary: 'Deliveries of an endpoint with all their attempts, newest first.',
      roles: ['partner', 'operator'],
      query: schemas.deliveryQuery,
      status: 200,
      answer: schemas.deliveryPage,
      run: async ({ viewer, id, query }) => {
        await store.get(ownerOf(viewer), id);
        return deliveryPage(history, id, query);
      },
    }),
  ];
}

function changeRoutes({ store, history }: RoutesOptions): Route[] {
  return [
    defineRoute({
      method: 'DELETE',
      path: '/webhooks/endpoints/{id}',
      operationId: 'deleteEndpoint',
      summary: 'Delete an endpoint with its deliveries. Nothing is sent to it afterwards.',
      roles: ['partner', 'operator'],
      status: 204,
      run: ({ viewer, id }) => store.remove(ownerOf(viewer), id),
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/rotate-secret',
      operationId: 'rotateSecret',
      roles: ['partner'],
      summary: 'Create a new secret. For one day the old one signs as well. At most four times a day.',
      status: 200,
      answer: schemas.rotatedSecret,
      run: async ({ viewer, id }) => {
        const { row, secret } = await store.rotateSecret(ownerOf(viewer), id);
        return { secret, previousSecretValidUntil: isoTime(olderSecretsOf(row)[0]!.until) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/resend',
      operationId: 'resendDeliveries',
      roles: ['partner', 'operator'],
      summary: 'Send dead deliveries again: one, or all since a time. They keep their `webhook-id`.',
      body: schemas.resendInput,
      status: 202,
      answer: schemas.resent,
      run: async ({ viewer, id, body }) => {
        await store.get(ownerOf(viewer), id);
        const which =
          'deliveryId' in body ? { deliveryId: body.deliveryId } : { sinceMs: Date.parse(body.since) };
        return { resent: await history.resend(id, which) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/test',
      operationId: 'testEndpoint',
      roles: ['partner'],
      summary:
        'Send a test message. It is signed, retried and listed like the delivery of a change. Ten a minute.',
      status: 202,
      answer: schemas.queuedTest,
      run: async ({ viewer, id }) => {
        await store.get(ownerOf(viewer), id);
        return { deliveryId: await history.enqueueTest(id) };
      },
    }),
  ];
}

/** Routes that switch an endpoint off and on. */
function switchRoutes({ servers, store }: RoutesOptions): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/pause',
      operationId: 'pauseEndpoint',
      summary:
        'Disable an endpoint; its pending deliveries are dead. Only an operator enables an endpoint that an operator paused.',
      roles: ['partner', 'operator'],
      status: 200,
      answer: schemas.endpoint,
      run: async ({ viewer, id }) => encodeEndpoint(await store.pause(ownerOf(viewer), id)),
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/enable',
      operationId: 'enableEndpoint',
      summary:
        'Enable an endpoint that is disabled. Changes it missed are not sent. It gets the rights of its partner’s token.',
      roles: ['partner', 'operator'],
      status: 200,
      answer: schemas.endpoint,
      run: async ({ viewer, id }) => encodeEndpoint(await enable({ servers, store }, viewer, id)),
    }),
  ];
}

/** By its partner: with the rights of the present token, which may have other grants than the one that registered it. */
async function enable(
  { servers, store }: Pick<RoutesOptions, 'servers' | 'store'>,
  viewer: VerifiedViewer,
  id: string,
): Promise<EndpointRow> {
  const owner = ownerOf(viewer);
  if (owner === 'everybody') return store.enable(owner, id);
  prepareSubscription(servers, subscriptionOf(await store.get(owner, id), viewer));
  return store.enable(owner, id, viewer);
}

async function endpointPage(
  store: EndpointStore,
  owner: EndpointOwner,
  { partner, limit, after }: schemas.EndpointQuery,
): Promise<schemas.EndpointList> {
  const rows = await store.list(owner, {
    partner,
    limit: limit + 1,
    after: after === undefined ? undefined : positionOf(after),
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    endpoints: page.map((row) => encodeEndpoint(row)),
    ...(rows.length > limit && last && { next: `${last.created_at}.${last.id}` }),
  };
}

/** Parses `next` of a page: time of creation and id of its last endpoint. */
function positionOf(after: string): { createdAt: number; id: string } {
  const dot = after.indexOf('.');
  return { createdAt: Number(after.slice(0, dot)), id: after.slice(dot + 1) };
}

async function deliveryPage(
  history: DeliveryHistory,
  endpointId: string,
  { limit, status, before }: schemas.DeliveryQuery,
): Promise<schemas.DeliveryPage> {
  const known = await history.list({
    endpointId,
    limit: limit + 1,
    status,
    beforeSeq: before === undefined ? undefined : Number(before),
  });
  const page = known.slice(0, limit);
  const last = page.at(-1);
  const more = known.length > limit && last !== undefined;
  return {
    deliveries: page.map((each) => encodeDelivery(each)),
    ...(more && { next: String(last.delivery.seq) }),
  };
}

import type { EventLog } from '@tidegate/event-log';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { DeliveryHistory } from '../deliveries/delivery-history.ts';
import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import type { TargetPolicy } from '../attempts/target-policy.ts';
import { prepareSubscription } from '../endpoints/endpoint-subscription.ts';
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
  return [register(options), ...readRoutes(options), ...changeRoutes(options)];
}

function register({ servers, store, policy, log }: RoutesOptions): Route {
  return defineRoute({
    method: 'POST',
    path: '/webhooks/endpoints',
    operationId: 'registerEndpoint',
    summary: 'Register an address for the changes that a GraphQL subscription selects from now on.',
    body: schemas.endpointInput,
    status: 201,
    answer: schemas.endpointWithSecret,
    run: async ({ partner, body }) => {
      const { url, bff, document, operationName, variables } = body;
      const subscription = { partner: partner.id, bff, document, operationName, variables };
      const { field } = prepareSubscription(servers, subscription);
      const target = policy.parseUrl(url);
      await policy.resolve(target);
      const [epoch, ends] = await Promise.all([log.epoch(), log.ends(field.stream.definition.topic.name)]);
      const offsets = ends.toSorted((a, b) => a.partition - b.partition).map(({ end }) => end);
      const row = await store.add({ ...subscription, url: target.href, startsAt: { epoch, offsets } });
      return { ...encodeEndpoint(row), secret: row.secret };
    },
  });
}

function readRoutes({ store, history }: RoutesOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints',
      operationId: 'listEndpoints',
      summary: 'Your endpoints, oldest first.',
      status: 200,
      answer: schemas.endpointList,
      run: async ({ partner }) => ({
        endpoints: (await store.list(partner.id)).map((row) => encodeEndpoint(row)),
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints/{id}',
      operationId: 'getEndpoint',
      summary: 'One of your endpoints.',
      status: 200,
      answer: schemas.endpoint,
      run: async ({ partner, id }) => encodeEndpoint(await store.get(partner.id, id)),
    }),
    defineRoute({
      method: 'GET',
      path: '/webhooks/endpoints/{id}/deliveries',
      operationId: 'listDeliveries',
      summary: 'Deliveries of an endpoint with all their attempts, newest first.',
      query: schemas.deliveryQuery,
      status: 200,
      answer: schemas.deliveryPage,
      run: async ({ partner, id, query }) => {
        await store.get(partner.id, id);
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
      status: 204,
      run: ({ partner, id }) => store.remove(partner.id, id),
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/rotate-secret',
      operationId: 'rotateSecret',
      summary: 'Create a new secret. For one day each message is signed with the new one and the old one.',
      status: 200,
      answer: schemas.rotatedSecret,
      run: async ({ partner, id }) => {
        const row = await store.rotateSecret(partner.id, id);
        return { secret: row.secret, previousSecretValidUntil: isoTime(row.previous_secret_until!) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/enable',
      operationId: 'enableEndpoint',
      summary: 'Enable an endpoint that was disabled because it failed. Changes it missed are not sent.',
      status: 200,
      answer: schemas.endpoint,
      run: async ({ partner, id }) => encodeEndpoint(await store.enable(partner.id, id)),
    }),
    defineRoute({
      method: 'POST',
      path: '/webhooks/endpoints/{id}/test',
      operationId: 'testEndpoint',
      summary: 'Send a test message. It is signed, retried and listed like the delivery of a change.',
      status: 202,
      answer: schemas.queuedTest,
      run: async ({ partner, id }) => {
        await store.get(partner.id, id);
        return { deliveryId: await history.enqueueTest(id) };
      },
    }),
  ];
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

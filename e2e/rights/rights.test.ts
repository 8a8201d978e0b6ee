import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readSchema } from '@tidegate/bff';
import { rights, type FieldRights } from '@order-platform/bff-shared';
import { repositoryRoot, until } from '@tidegate/testing';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, placeOrder, waitForCatalogue, type GraphqlAnswer } from '../harness/graphql.ts';
import { openRawWebSocket, type RawWebSocket } from '../harness/raw-websocket.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';
import { BYSTANDER, expected, tokenOf, VICTIM, viewers, type TriedViewer } from './viewers.ts';

type BffName = keyof typeof rights;

/** An order of `ada`. */
interface Victim {
  readonly orderId: string;
  readonly commandId: string;
  readonly productId: string;
}

interface Probe {
  readonly query: (victim: Victim) => string;
  /** True when the answer shows, or changed, the order of `ada`. Absent: each viewer acts for itself alone. */
  readonly shows?: (data: Record<string, never>, victim: Victim) => boolean;
}

const json = (value: unknown): string => JSON.stringify(value);
const holdsOrder: Probe['shows'] = (data, { orderId }) => json(data).includes(orderId);
const holdsAny: Probe['shows'] = (data) => Object.values(data).every((value) => value !== null);

/** How each query and mutation is tried. */
const probes: Record<BffName, Record<string, Probe>> = {
  web: {
    'Query.me': { query: () => '{ me { id } }' },
    'Query.order': { query: ({ orderId }) => `{ order(id: "${orderId}") { id note } }`, shows: holdsOrder },
    'Query.orders': { query: () => '{ orders(first: 100) { edges { node { id } } } }', shows: holdsOrder },
    'Query.product': {
      query: ({ productId }) => `{ product(id: "${productId}") { id } }`,
      shows: holdsAny,
    },
    'Query.products': { query: () => '{ products { totalCount } }', shows: holdsAny },
    'Mutation.placeOrder': {
      query: ({ productId }) =>
        `mutation { placeOrder(input: { lines: [{ productId: "${productId}", quantity: 1 }] }) { __typename } }`,
    },
    'Mutation.cancelOrder': {
      query: ({ orderId }) => `mutation { cancelOrder(input: { orderId: "${orderId}" }) { __typename } }`,
      shows: (data) => json(data).includes('CommandAccepted'),
    },
  },
  mobile: {
    'Query.home': { query: () => '{ home { active { id } offers { id } } }' },
    'Query.orderScreen': {
      query: ({ orderId }) => `{ orderScreen(id: "${orderId}") { id } }`,
      shows: holdsOrder,
    },
    'Mutation.order': {
      query: ({ productId }) =>
        `mutation { order(commandId: "c-${process.hrtime.bigint()}", product: "${productId}", qty: 1) { id } }`,
    },
  },
};

/** How each live field is tried, and whether a change of the order shows on it. */
const subscriptions: Record<BffName, Record<string, (victim: Victim) => string>> = {
  web: {
    'Subscription.order': ({ orderId }) => `subscription { order(id: "${orderId}") { id } }`,
    'Subscription.orders': () => 'subscription { orders { id } }',
    'Subscription.stock': ({ productId }) =>
      `subscription { stock(productId: "${productId}") { productId } }`,
    'Subscription.commandOutcome': ({ commandId }) =>
      `subscription { commandOutcome(id: "${commandId}") { ... on CommandAccepted { orderId } } }`,
  },
  mobile: {
    'Subscription.orderScreen': ({ orderId }) => `subscription { orderScreen(id: "${orderId}") { id } }`,
    'Subscription.activity': () => 'subscription { activity { id } }',
  },
};

const bffs = ['web', 'mobile'] as const;

function schemaOf(bff: BffName): GraphQLSchema {
  return buildSchema(readSchema(pathToFileURL(join(repositoryRoot, `bffs/${bff}/src/schema/`))));
}

function rootFields(bff: BffName): string[] {
  const schema = schemaOf(bff);
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    type ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
  );
}

function rightsOf(bff: BffName, field: string): FieldRights {
  return (rights[bff] as Record<string, FieldRights>)[field]!;
}

describe.each(bffs)('the table of rights of the %s BFF', (bff) => {
  it('has a row for every root field of the schema, and no other', () => {
    expect(Object.keys(rights[bff]).toSorted()).toEqual(rootFields(bff).toSorted());
  });

  it('is tried in every row', () => {
    const tried = [...Object.keys(probes[bff]), ...Object.keys(subscriptions[bff])];
    expect(tried.toSorted()).toEqual(rootFields(bff).toSorted());
  });
});

describe('the rights of every role', () => {
  let platform: EmbeddedPlatform;
  let productId: string;
  const connections: RawWebSocket[] = [];

  beforeAll(async () => {
    platform = await startEmbedded({ TRUSTED_DOCUMENTS_ONLY: '0' });
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  });

  afterAll(async () => {
    for (const { socket } of connections) socket.terminate();
    await platform?.[Symbol.asyncDispose]();
  });

  async function place(customer = VICTIM): Promise<Victim> {
    const token = await platform.token(customer, 'customer');
    const { orderId, commandId } = await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    await graphql(`${platform.webUrl}/graphql/web`, token, { query: `{ order(id: "${orderId}") { id } }` });
    return { orderId, commandId, productId };
  }

  async function subscribe(bff: BffName, viewer: TriedViewer, query: string): Promise<RawWebSocket> {
    const connection = await openRawWebSocket(platform.webUrl, { path: `/graphql/${bff}` });
    connections.push(connection);
    const token = await tokenOf(platform, viewer);
    connection.send({
      type: 'connection_init',
      payload: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    await until(() => connection.of('connection_ack').length > 0, { what: 'the acknowledgement' });
    connection.send({ type: 'subscribe', id: 'a', payload: { query } });
    connection.send({ type: 'ping' });
    await until(() => connection.of('pong').length > 0, { what: 'the subscription' });
    return connection;
  }

  function answerOf(answer: GraphqlAnswer<Record<string, never>>, probe: Probe, victim: Victim): string {
    const code = answer.errors?.[0]?.extensions?.code;
    if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return 'refused';
    if (code !== undefined) return code;
    return !probe.shows || probe.shows(answer.data, victim) ? 'seen' : 'hidden';
  }

  const fields = bffs.flatMap((bff) => Object.keys(probes[bff]).map((field) => [bff, field] as const));

  it.each(fields)('hold in %s %s', async (bff, field) => {
    const probe = probes[bff][field]!;
    const outcomes: string[] = [];
    const wanted: string[] = [];
    for (const viewer of viewers) {
      const victim = await place();
      const token = await tokenOf(platform, viewer);
      const query = probe.query(victim);
      const answer = await graphql<Record<string, never>>(`${platform.webUrl}/graphql/${bff}`, token, {
        query,
      });
      outcomes.push(`${viewer.name}: ${answerOf(answer, probe, victim)}`);
      const right = expected(viewer, rightsOf(bff, field));
      wanted.push(`${viewer.name}: ${right === 'hidden' && !probe.shows ? 'seen' : right}`);
    }
    expect(outcomes).toEqual(wanted);
  });

  const liveFields = bffs.flatMap((bff) =>
    Object.keys(subscriptions[bff]).map((each) => [bff, each] as const),
  );

  it.each(liveFields)('hold in %s %s', async (bff, field) => {
    const victim = await place();
    const query = subscriptions[bff][field]!(victim);
    const opened = await Promise.all(
      viewers.map(async (viewer) => ({ viewer, connection: await subscribe(bff, viewer, query) })),
    );
    // A change of ada's that those with a right see, then one of bob's: whatever ada's led to has been sent by then.
    const later = await place();
    await place(BYSTANDER);
    const outcome = ({ connection }: (typeof opened)[number]): string => {
      const [error] = connection.of('error') as readonly { payload?: { extensions: { code: string } }[] }[];
      const code = error?.payload?.[0]?.extensions.code;
      if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return 'refused';
      if (code !== undefined) return code === 'NOT_FOUND' ? 'hidden' : code;
      const received = json(connection.of('next'));
      const shown = [victim.orderId, later.orderId, `"productId":"${productId}"`];
      return shown.some((each) => received.includes(each)) ? 'seen' : 'hidden';
    };
    const wanted = viewers.map((viewer) => expected(viewer, rightsOf(bff, field)));
    await until(
      () => opened.every((each, index) => wanted[index] === 'hidden' || outcome(each) === wanted[index]),
      {
        what: 'the messages of the viewers with rights',
      },
    ).catch(() => undefined);
    expect(opened.map((each) => `${each.viewer.name}: ${outcome(each)}`)).toEqual(
      viewers.map(({ name }, index) => `${name}: ${wanted[index]}`),
    );
  });
});

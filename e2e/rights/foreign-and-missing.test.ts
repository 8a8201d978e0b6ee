import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, placeOrder, waitForCatalogue, type GraphqlAnswer } from '../harness/graphql.ts';
import { openRawWebSocket } from '../harness/raw-websocket.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

/** An id of the form that the platform creates, of no order and no command. */
const MISSING = '0mfz00000zzzzzzzzzzzzzz';

describe('a viewer without a right', () => {
  let platform: EmbeddedPlatform;
  let productId: string;
  let foreign: { orderId: string; commandId: string };
  let customer: string;
  let partner: string;
  let operator: string;

  beforeAll(async () => {
    platform = await startEmbedded({ TRUSTED_DOCUMENTS_ONLY: '0' });
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
    customer = await platform.token('bob', 'customer');
    partner = await platform.token('p-1', 'partner', ['bob']);
    operator = await platform.token('op-1', 'operator');
    const ada = await platform.token('ada', 'customer');
    foreign = await placeOrder(platform.webUrl, ada, [{ productId, quantity: 1 }]);
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  const web = (token: string, query: string): Promise<GraphqlAnswer<Record<string, unknown>>> =>
    graphql(`${platform.webUrl}/graphql/web`, token, { query });

  /** Sends the query with both ids, and returns both answers without the ids, and their durations. */
  async function both(token: string, query: (id: string) => string): Promise<[string, number][]> {
    return Promise.all(
      [foreign.orderId, MISSING].map(async (id): Promise<[string, number]> => {
        const startedMs = performance.now();
        const answer = await web(token, query(id));
        const text = JSON.stringify(answer)
          .replaceAll(id, 'ID')
          .replace(/"commandId":"[^"]*"/, '');
        return [text, performance.now() - startedMs];
      }),
    );
  }

  it('gets the same answer for a foreign order as for a missing one', async () => {
    for (const token of [customer, partner]) {
      const [one, other] = await both(token, (id) => `{ order(id: "${id}") { id } }`);
      expect(one![0]).toBe(other![0]);
      expect(one![0]).toBe('{"status":200,"data":{"order":null}}');
    }
  });

  it('waits for a demanded version of a foreign order as long as for a missing one', async () => {
    const [one, other] = await both(
      customer,
      (id) => `{ order(id: "${id}", notOlderThan: "order/${id}@1") { id } }`,
    );
    expect(one![0]).toBe(other![0]);
    expect(one![0]).toContain('"satisfied":false');
    for (const [, durationMs] of [one!, other!]) expect(durationMs).toBeGreaterThan(1_900);
    const [strict, strictMissing] = await both(
      customer,
      (id) => `{ order(id: "${id}", notOlderThan: "order/${id}@1", strict: true) { id } }`,
    );
    expect(strict![0]).toBe(strictMissing![0]);
    const [list, listMissing] = await both(
      customer,
      (id) => `{ orders(notOlderThan: "order/${id}@1") { totalCount } }`,
    );
    expect(list![0]).toBe(listMissing![0]);
  });

  it('cancels a foreign order as it cancels a missing one', async () => {
    const [one, other] = await both(
      customer,
      (id) =>
        `mutation { cancelOrder(input: { orderId: "${id}" }) { ... on CommandRejected { reason { code message } } } }`,
    );
    expect(one![0]).toBe(other![0]);
    expect(one![0]).toContain('ORDER_NOT_FOUND');
  });

  it('subscribes to a foreign id as to a missing one', async () => {
    for (const token of [customer, partner]) {
      const connection = await openRawWebSocket(platform.webUrl, { token });
      const subscribe = (id: string, query: string): void =>
        connection.send({ type: 'subscribe', id, payload: { query: `subscription { ${query}` } });
      subscribe('order', `order(id: "${foreign.orderId}") { id } }`);
      subscribe('no-order', `order(id: "${MISSING}") { id } }`);
      subscribe('command', `commandOutcome(id: "${foreign.commandId}") { __typename } }`);
      subscribe('no-command', `commandOutcome(id: "${MISSING}") { __typename } }`);
      await until(() => connection.of('error').length === 2, { what: 'both refusals' });
      connection.send({ type: 'ping' });
      await until(() => connection.of('pong').length > 0, { what: 'the pong' });
      const [one, other] = connection.of('error').toSorted((a, b) => (a.id! < b.id! ? 1 : -1));
      expect([one!.id, other!.id]).toEqual(['order', 'no-order']);
      expect(one!.payload).toEqual(other!.payload);
      expect(JSON.stringify(one)).toContain('NOT_FOUND');
      // A missing command may still be sent, so its outcome is waited for; a foreign one is waited for as well.
      const messages = connection.messages.filter(({ id }) => id?.endsWith('command'));
      expect(messages).toEqual([]);
      connection.socket.terminate();
    }
  });

  it('pages through the visible orders only, and the total counts no others', async () => {
    await placeOrder(platform.webUrl, customer, [{ productId, quantity: 1 }]);
    const query =
      '{ orders(first: 1) { totalCount pageInfo { hasNextPage } edges { node { customerId } } } }';
    const visible = {
      totalCount: 1,
      pageInfo: { hasNextPage: false },
      edges: [{ node: { customerId: 'bob' } }],
    };
    await until(
      async () => JSON.stringify((await web(partner, query)).data) === JSON.stringify({ orders: visible }),
      {
        what: 'the order of bob alone',
      },
    );
    expect((await web(operator, query)).data).toMatchObject({ orders: { totalCount: 2 } });
  });

  const OPTIONAL: [string, string][] = [
    ['an empty list of statuses', '{ orders(status: []) { totalCount } }'],
    ['an empty page cursor', '{ orders(after: "") { totalCount } }'],
    ['a page cursor of another list', `{ orders(after: "${cursorOf('kettle', 'kettle')}") { totalCount } }`],
    ['an empty consistency token', '{ orders(notOlderThan: "") { totalCount } }'],
    ['an empty category', '{ products(category: "") { totalCount } }'],
    ['a category with NUL', String.raw`{ products(category: "a\u0000b") { totalCount } }`],
    [
      'an empty command id',
      'mutation { cancelOrder(input: { commandId: "", orderId: "x" }) { __typename } }',
    ],
  ];

  it.each(OPTIONAL)('is refused %s, which is no absent one', async (_name, query) => {
    const { errors } = await web(operator, query);
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
  });

  it.each([
    ['an empty customer', 'orders(filter: { customerId: "" }) { id }'],
    ['a customer that is no id', String.raw`orders(filter: { customerId: "a\u0000b" }) { id }`],
    ['an empty list of statuses', 'orders(filter: { status: [] }) { id }'],
    ['an empty order id', 'order(id: "") { id }'],
    ['an empty command id', 'commandOutcome(id: "") { __typename }'],
    ['an empty product id', 'stock(productId: "") { productId }'],
  ])('is refused a subscription with %s', async (_name, field) => {
    const connection = await openRawWebSocket(platform.webUrl, { token: operator });
    connection.send({ type: 'subscribe', id: 'a', payload: { query: `subscription { ${field} }` } });
    await until(() => connection.of('error').length > 0, { what: 'the refusal' });
    expect(connection.of('error')).toMatchObject([{ payload: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
    connection.socket.terminate();
  });

  it('gets an error for a malformed id, and the other fields of the batch', async () => {
    const { data, errors } = await web(
      operator,
      `{ good: order(id: "${foreign.orderId}") { id } bad: order(id: "not an id") { id }
         product(id: "${productId}") { id } none: product(id: "../etc") { id } }`,
    );
    expect(data).toEqual({
      good: { id: foreign.orderId },
      bad: null,
      product: { id: productId },
      none: null,
    });
    const refused = errors?.map((error) => [...(error as { path?: string[] }).path!, error.extensions?.code]);
    expect(refused?.toSorted()).toEqual([
      ['bad', 'BAD_USER_INPUT'],
      ['none', 'BAD_USER_INPUT'],
    ]);
  });

  it('is refused grants of another form than a list of ids', async () => {
    const malformed = await platform.token('p-1', 'partner', 'ada' as never);
    const { errors } = await web(malformed, '{ orders { totalCount } }');
    expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });
});

function cursorOf(sortValue: string, id: string): string {
  return Buffer.from(JSON.stringify([sortValue, id])).toString('base64url');
}

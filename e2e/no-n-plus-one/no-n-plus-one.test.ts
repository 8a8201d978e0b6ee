/** Promise: a screen costs a fixed number of service calls, independent of the number of orders. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { mobileBff } from '@order-platform/bff-mobile';
import { webBff } from '@order-platform/bff-web';
import { listProducts, placeOrder } from '@order-platform/contracts';
import { type OperationDefinition } from '@tidegate/core';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { BffServer } from '@tidegate/gateway';
import type { ServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState } from '@tidegate/shared-state';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until, type TemporaryDirectory } from '@tidegate/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOrderPlatform, type OrderPlatform } from '../../deployments/embedded/order-platform.ts';

const customer = { role: 'customer', id: 'customer-1' } as const;

describe('a screen costs a fixed number of service calls, independent of the number of orders', () => {
  let directory: TemporaryDirectory;
  let platform: OrderPlatform;
  let web: BffServer;
  let mobile: BffServer;
  const calls: string[] = [];
  const log = () => createSqliteEventLog({ path: join(directory.path, 'log.sqlite'), logger: silentLogger });
  let eventLog: ReturnType<typeof log>;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    eventLog = log();
    platform = createOrderPlatform({
      dataDir: directory.path,
      log: eventLog,
      logger: silentLogger,
      metrics: createMetrics({ nodeMetrics: false }),
      partitions: 3,
    });
    await platform.start();
    const counting: ServiceClient = {
      call: (definition, input, options) => {
        calls.push((definition as OperationDefinition).name);
        return platform.client.call(definition, input, options);
      },
    };
    const state = createMemorySharedState({ maxEntries: 100 });
    const shared = {
      client: counting,
      state,
      logger: silentLogger,
      trustedOnly: false,
    };
    web = new BffServer({ bff: webBff, ...shared });
    mobile = new BffServer({ bff: mobileBff, ...shared });
    await placeOrders(20);
  });

  afterAll(async () => {
    await platform.stop();
    await eventLog.close();
    await directory[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    calls.length = 0;
  });

  async function placeOrders(count: number): Promise<void> {
    const products = await until(
      async () => {
        const found = (await platform.client.call(listProducts, { first: 40 })).products;
        return found.length === 40 && found;
      },
      { what: 'the catalogue' },
    );
    for (let index = 0; index < count; index++) {
      await platform.client.call(placeOrder, {
        commandId: randomUUID(),
        actor: customer,
        customerId: customer.id,
        lines: [index, index + 7, index + 13].map((at) => ({
          productId: products[at % products.length]!.productId,
          quantity: 1,
          unitPriceCents: products[at % products.length]!.price.amountCents,
        })),
      });
    }
    await until(
      async () => (await execute(web, '{ orders(first: 100) { totalCount } }')).text.includes(`:${count}`),
      {
        what: 'the orders in the view',
      },
    );
  }

  async function execute(
    server: BffServer,
    query: string,
    variables = {},
  ): Promise<{ bytes: number; text: string }> {
    const result = await server.execute({ query, variables }, { viewer: customer, traceparent: undefined });
    expect(result.errors).toBeUndefined();
    const text = JSON.stringify(result);
    return { bytes: Buffer.byteLength(text), text };
  }

  it('a list of orders with all their products: one call to each view', async () => {
    await execute(
      web,
      '{ orders(first: 20) { edges { node { id lines { quantity product { name stock { available } } } } } } }',
    );
    expect(calls).toEqual(['list-orders', 'get-products']);
  });

  it('several orders and products by id: one batch to each view', async () => {
    const { text } = await execute(web, '{ orders(first: 5) { edges { node { id } } } }');
    const ids = [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id);
    calls.length = 0;
    const fields = ids.map(
      (id, index) => `o${index}: order(id: "${id}") { status lines { product { name } } }`,
    );
    await execute(web, `{ ${fields.join(' ')} }`);
    expect(calls).toEqual(['get-orders', 'get-products']);
  });

  it('the mobile home screen: one round trip, one call to each view', async () => {
    await execute(mobile, '{ home { active { id state total v } offers { id name price image } } }');
    expect([...calls].sort()).toEqual(['list-orders', 'list-products']);
  });

  it('an order’s screen on the phone takes at most half the bytes of the same screen on the web', async () => {
    const { text } = await execute(web, '{ orders(first: 1) { edges { node { id } } } }');
    const id = /"id":"([^"]+)"/.exec(text)![1];
    const onTheWeb = await execute(
      web,
      `query ($id: ID!) { order(id: $id) {
        id version status lines { quantity unitPrice { amountCents currency } product { id name image } }
        total { amountCents currency } rejection { code message } shipment { carrier trackingCode status } placedAt updatedAt
      } }`,
      { id },
    );
    const document = [...mobileBff.trustedDocuments!.values()].find((each) =>
      each.startsWith('query OrderScreen'),
    )!;
    const onThePhone = await execute(mobile, document, { id });
    expect(onThePhone.bytes * 2).toBeLessThanOrEqual(onTheWeb.bytes);
  });
});

import { randomUUID } from 'node:crypto';
import { delay } from '@tidegate/runtime/resilience';
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processes, type ProcessName } from '../../scripts/processes.ts';
import { graphql, placeOrder, productIds } from '../harness/graphql.ts';
import { startResumingSubscriber } from '../harness/resuming-subscriber.ts';
import { realStackFromEnv, startOnStack, type StackPlatform } from '../harness/running-platform.ts';

const ORDERS = 1_000;
const CONCURRENT_CUSTOMERS = 6;
const stackEnv = realStackFromEnv();

interface Stock {
  readonly available: number;
  readonly reserved: number;
}

interface Order {
  readonly id: string;
  readonly version: number;
  readonly status: string;
  readonly lines: readonly { productId: string; quantity: number }[];
}

describe.skipIf(stackEnv === undefined)(
  '1,000 orders while every process is killed with SIGKILL once',
  () => {
    let platform: StackPlatform;
    let operator: string;

    beforeAll(async () => {
      platform = await startOnStack(stackEnv!, { restarts: false });
      operator = await platform.token('operator-1', 'operator');
      await until(async () => (await productIds(platform.webUrl)).length === 40, {
        what: 'the catalogue',
        timeoutMs: 30_000,
      });
    }, 150_000);

    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
    });

    it('loses none, repeats none, and the stock adds up', async () => {
      const products = await productIds(platform.webUrl);
      const stockBefore = await stocks();
      const subscriber = startResumingSubscriber(
        `${platform.webUrl}/graphql/web`,
        operator,
        'subscription { orders { id version status } }',
      );
      // A subscriber holds a cursor from its first message on.
      const first = await firstSeenOrder(products[0]!, subscriber);

      const placed = [first];
      let killing = true;
      const killer = killEachOnce().finally(() => (killing = false));
      const customers = Array.from({ length: CONCURRENT_CUSTOMERS }, (_, index) => buy(index));
      await Promise.all([killer, ...customers]);
      expect(placed.length).toBeGreaterThanOrEqual(ORDERS);
      expect(new Set(placed).size).toBe(placed.length);

      const orders = await untilAllEnded(placed);
      expect(
        new Set(orders.map(({ status }) => status)).difference(new Set(['DELIVERED', 'REJECTED'])),
      ).toEqual(new Set());

      const last = new Map(orders.map(({ id, version }) => [id, version]));
      const versionsSeen = (): Map<string, number[]> =>
        Map.groupBy(subscriber.seen, ({ key }) => key) as never;
      const complete = (): boolean =>
        placed.every((id) =>
          subscriber.seen.some((each) => each.key === id && each.version === last.get(id)),
        );
      await until(complete, { what: 'the subscriber to be level', timeoutMs: 30_000 }).catch(() => undefined);
      await subscriber.stop();
      expect(subscriber.reconnects).toBeGreaterThanOrEqual(1);
      const wrong = placed.flatMap((id) => {
        const versions = ((versionsSeen().get(id) ?? []) as unknown as { version: number }[]).map(
          ({ version }) => version,
        );
        const expected = Array.from({ length: last.get(id)! }, (_, index) => index + 1);
        return versions.join() === expected.join() ? [] : [{ id, versions, expected: expected.length }];
      });
      expect(wrong).toEqual([]);

      await expectStockToAddUp(stockBefore, orders);

      async function buy(index: number): Promise<void> {
        const token = await platform.token(`customer-${index + 1}`, 'customer');
        // Orders go on as long as there is somebody left to be killed: every process dies at work.
        while (placed.length < ORDERS || killing) {
          const lines = [{ productId: products[placed.length % products.length]!, quantity: 1 }];
          placed.push(await placeSurely(token, lines));
          if (placed.length >= ORDERS) await delay(100);
        }
      }
    }, 400_000);

    /** A client's safe retry: the same command id until there is an answer. */
    async function placeSurely(
      token: string,
      lines: { productId: string; quantity: number }[],
    ): Promise<string> {
      const commandId = randomUUID();
      for (;;) {
        try {
          return (await placeOrder(platform.webUrl, token, lines, commandId)).orderId;
        } catch {
          await delay(200);
        }
      }
    }

    async function firstSeenOrder(
      productId: string,
      subscriber: { seen: readonly { key: string }[] },
    ): Promise<string> {
      const token = await platform.token('customer-1', 'customer');
      for (;;) {
        const orderId = await placeSurely(token, [{ productId, quantity: 1 }]);
        const seen = until(() => subscriber.seen.some(({ key }) => key === orderId), {
          what: 'a first event',
          timeoutMs: 3_000,
        });
        if (
          await seen.then(
            () => true,
            () => false,
          )
        )
          return orderId;
      }
    }

    async function killEachOnce(): Promise<void> {
      const names: ProcessName[] = processes.map(({ name }) => name);
      for (const name of names) {
        await delay(500);
        await platform.processes.kill(name, 'SIGKILL');
        await platform.processes.restart(name);
      }
    }

    async function untilAllEnded(ids: readonly string[]): Promise<Order[]> {
      let orders: Order[] = [];
      await until(
        async () => {
          orders = (await allOrders()).filter(({ id }) => ids.includes(id));
          return (
            orders.length === ids.length &&
            orders.every(({ status }) => status === 'DELIVERED' || status === 'REJECTED')
          );
        },
        { what: 'every order to end', timeoutMs: 120_000, everyMs: 1_000 },
      ).catch(() => undefined);
      expect(orders.length).toBe(ids.length);
      // A last event may still change the version of an order that has ended: read until two readings agree.
      for (let before = ''; ;) {
        orders = (await allOrders()).filter(({ id }) => ids.includes(id));
        const reading = JSON.stringify(orders.map(({ id, version }) => `${id}@${version}`).toSorted());
        if (reading === before) return orders;
        before = reading;
        await delay(2_000);
      }
    }

    async function allOrders(): Promise<Order[]> {
      const found: Order[] = [];
      for (let after: string | null = null; ;) {
        const answer: { data: { orders: OrderPage } } = await graphql(
          `${platform.webUrl}/graphql/web`,
          operator,
          {
            query: `query ($after: String) { orders(first: 100, after: $after) {
          edges { node { id version status lines { productId quantity } } } pageInfo { hasNextPage endCursor }
        } }`,
            variables: { after },
          },
        );
        found.push(...answer.data.orders.edges.map(({ node }) => node));
        if (!answer.data.orders.pageInfo.hasNextPage) return found;
        after = answer.data.orders.pageInfo.endCursor;
      }
    }

    async function stocks(): Promise<Map<string, Stock>> {
      const answer = await graphql<{ products: { edges: { node: { id: string; stock: Stock } }[] } }>(
        `${platform.webUrl}/graphql/web`,
        operator,
        { query: '{ products(first: 100) { edges { node { id stock { available reserved } } } } }' },
      );
      return new Map(answer.data.products.edges.map(({ node }) => [node.id, node.stock]));
    }

    /** What was there is what is there now and what went out, for every product. */
    async function expectStockToAddUp(
      before: ReadonlyMap<string, Stock>,
      orders: readonly Order[],
    ): Promise<void> {
      const sold = new Map<string, number>();
      for (const { status, lines } of orders) {
        if (status !== 'DELIVERED') continue;
        for (const { productId, quantity } of lines)
          sold.set(productId, (sold.get(productId) ?? 0) + quantity);
      }
      const expected = Object.fromEntries(
        [...before].map(([id, { available }]) => [id, available - (sold.get(id) ?? 0)]),
      );
      const now = async () =>
        Object.fromEntries([...(await stocks())].map(([id, { available }]) => [id, available]));
      await until(async () => JSON.stringify(await now()) === JSON.stringify(expected), {
        what: 'the catalogue to be level',
        timeoutMs: 20_000,
      }).catch(() => undefined);
      expect(await now()).toEqual(expected);
      for (const [id, { reserved }] of await stocks())
        expect([id, reserved]).toEqual([id, before.get(id)!.reserved]);
    }
  },
);

interface OrderPage {
  readonly edges: readonly { node: Order }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

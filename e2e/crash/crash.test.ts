/** Promise: while every process is killed once, no order is lost or repeated, and the stock adds up. */
import { randomUUID } from 'node:crypto';
import { delay } from '@tidegate/runtime/resilience';
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processes } from '../../scripts/processes.ts';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { ResumingSubscriber } from '../harness/resuming-subscriber.ts';
import { realStackFromEnv, startOnStack, type StackPlatform } from '../harness/running-platform.ts';
import { readOrders, readStocks, type Order, type Stock } from './read-state.ts';

const ORDERS = 1_000;
const CONCURRENT_CUSTOMERS = 6;
const stackEnv = realStackFromEnv();

describe.skipIf(stackEnv === undefined)(
  '1,000 orders while every process is killed with SIGKILL once',
  () => {
    let platform: StackPlatform;
    let operator: string;
    let products: readonly string[];

    beforeAll(async () => {
      platform = await startOnStack(stackEnv!, { restarts: false });
      operator = await platform.token('operator-1', 'operator');
      products = await waitForCatalogue(platform.webUrl);
    }, 150_000);

    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
    });

    it('loses none, repeats none, and the stock adds up', async () => {
      const stockBefore = await readStocks(platform.webUrl, operator);
      const subscriber = new ResumingSubscriber(
        `${platform.webUrl}/graphql/web`,
        operator,
        'subscription { orders { id version status } }',
      );
      // The subscriber has a cursor only after its first message.
      const placed = [await firstSeenOrder(subscriber)];
      await placeWhileKilling(placed);
      expect(placed.length).toBeGreaterThanOrEqual(ORDERS);
      expect(new Set(placed).size).toBe(placed.length);

      const orders = await untilAllEnded(placed);
      expect(
        new Set(orders.map(({ status }) => status)).difference(new Set(['DELIVERED', 'REJECTED'])),
      ).toEqual(new Set());
      await expectEveryVersionOnce(subscriber, orders);
      await expectStockToAddUp(stockBefore, orders);
    }, 400_000);

    /** Places orders as long as there are processes left to kill, so that each is killed under load. */
    async function placeWhileKilling(placed: string[]): Promise<void> {
      let killing = true;
      const killed = killEachOnce().finally(() => (killing = false));
      const customers = Array.from({ length: CONCURRENT_CUSTOMERS }, async (_, index) => {
        const token = await platform.token(`customer-${index + 1}`, 'customer');
        while (placed.length < ORDERS || killing) {
          placed.push(await placeWithRetries(token, products[placed.length % products.length]!));
          if (placed.length >= ORDERS) await delay(100);
        }
      });
      await Promise.all([killed, ...customers]);
    }

    async function killEachOnce(): Promise<void> {
      for (const { name } of processes) {
        await delay(500);
        await platform.processes.kill(name, 'SIGKILL');
        await platform.processes.restart(name);
      }
    }

    /** Retries with the same command id until there is an answer, which is safe. */
    async function placeWithRetries(token: string, productId: string): Promise<string> {
      const commandId = randomUUID();
      for (;;) {
        try {
          const lines = [{ productId, quantity: 1 }];
          return (await placeOrder(platform.webUrl, token, lines, commandId)).orderId;
        } catch {
          await delay(200);
        }
      }
    }

    /** Places orders until the subscriber, which starts at an unknown moment, sees one. */
    async function firstSeenOrder(subscriber: ResumingSubscriber): Promise<string> {
      const token = await platform.token('customer-1', 'customer');
      for (;;) {
        const orderId = await placeWithRetries(token, products[0]!);
        const seen = await until(() => subscriber.messages.some(({ key }) => key === orderId), {
          what: 'a first event',
          timeoutMs: 3_000,
        }).catch(() => false);
        if (seen) return orderId;
      }
    }

    async function untilAllEnded(ids: readonly string[]): Promise<Order[]> {
      const wanted = new Set(ids);
      const read = async (): Promise<Order[]> =>
        (await readOrders(platform.webUrl, operator)).filter(({ id }) => wanted.has(id));
      let orders: Order[] = [];
      await until(
        async () => {
          orders = await read();
          const ended = orders.every(({ status }) => status === 'DELIVERED' || status === 'REJECTED');
          return orders.length === ids.length && ended;
        },
        { what: 'every order to end', timeoutMs: 120_000, everyMs: 1_000 },
      ).catch(() => undefined);
      expect(orders.length).toBe(ids.length);
      // A late event may still raise the version of an ended order: read until two readings agree.
      for (let before = ''; ;) {
        orders = await read();
        const reading = JSON.stringify(orders.map(({ id, version }) => `${id}@${version}`).toSorted());
        if (reading === before) return orders;
        before = reading;
        await delay(2_000);
      }
    }

    /** Expects that the subscriber got the versions of each order from 1 to the last one, each once and in order. */
    async function expectEveryVersionOnce(
      subscriber: ResumingSubscriber,
      orders: readonly Order[],
    ): Promise<void> {
      const hasLast = ({ id, version }: Order): boolean =>
        subscriber.messages.some((message) => message.key === id && message.version === version);
      await until(() => orders.every(hasLast), {
        what: 'the last version of every order',
        timeoutMs: 30_000,
      }).catch(() => undefined);
      await subscriber.stop();
      expect(subscriber.reconnects).toBeGreaterThanOrEqual(1);
      const messages = Map.groupBy(subscriber.messages, ({ key }) => key);
      const wrong = orders.flatMap(({ id, version }) => {
        const versions = (messages.get(id) ?? []).map((message) => message.version);
        const expected = Array.from({ length: version }, (_, index) => index + 1);
        return versions.join() === expected.join() ? [] : [{ id, versions, expected: expected.length }];
      });
      expect(wrong).toEqual([]);
    }

    /** Expects for each product: available now = available before - sold, and the same reserved quantity. */
    async function expectStockToAddUp(
      before: ReadonlyMap<string, Stock>,
      orders: readonly Order[],
    ): Promise<void> {
      const sold = soldQuantities(orders);
      const expected = Object.fromEntries(
        [...before].map(([id, { available }]) => [id, available - (sold.get(id) ?? 0)]),
      );
      const stocks = () => readStocks(platform.webUrl, operator);
      const now = async () =>
        Object.fromEntries([...(await stocks())].map(([id, { available }]) => [id, available]));
      await until(async () => JSON.stringify(await now()) === JSON.stringify(expected), {
        what: 'the catalogue to contain every change of stock',
        timeoutMs: 20_000,
      }).catch(() => undefined);
      expect(await now()).toEqual(expected);
      for (const [id, { reserved }] of await stocks())
        expect([id, reserved]).toEqual([id, before.get(id)!.reserved]);
    }
  },
);

function soldQuantities(orders: readonly Order[]): ReadonlyMap<string, number> {
  const sold = new Map<string, number>();
  for (const { status, lines } of orders) {
    if (status !== 'DELIVERED') continue;
    for (const { productId, quantity } of lines) sold.set(productId, (sold.get(productId) ?? 0) + quantity);
  }
  return sold;
}

/**
 * Promise: with two instances of everything, while processes are killed at random, no order is lost or repeated, the
 * stock adds up, and every subscriber and every webhook gets each change once.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { delay } from '@tidegate/runtime/resilience';
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processes, type ProcessName } from '../../../scripts/processes.ts';
import { placeOrder, waitForCatalogue } from '../../harness/graphql.ts';
import { ResumingSubscriber } from '../../harness/resuming-subscriber.ts';
import { realStackFromEnv, startOnStack, type StackPlatform } from '../../harness/running-platform.ts';
import { CountingReceiver } from '../../harness/counting-receiver.ts';
import { readOrders, readStocks, type Order, type Stock } from '../../harness/read-state.ts';

const ORDERS = 2_000;
const customers = Array.from({ length: 8 }, (_, index) => `customer-${index + 1}`);
const ALL_ORDERS = 'subscription { orders { id version status } }';
const all = processes.map(({ name }) => name);
/** The instances share one payment provider, whose books are in memory. */
const secondHas = all.filter((name) => name !== 'payment-provider');
const stackEnv = realStackFromEnv();

describe.skipIf(stackEnv === undefined)('2,000 orders while processes are killed with SIGKILL', () => {
  const instances: StackPlatform[] = [];
  let operator: string;
  let products: readonly string[];

  beforeAll(async () => {
    const first = await startOnStack(stackEnv!, { restarts: false });
    instances.push(first);
    const PAYMENT_PROVIDER_URL = first.processes.urls['payment-provider'];
    const extraEnv = { payments: { PAYMENT_PROVIDER_URL } };
    const second = { restarts: false, portOffset: 22_000, only: secondHas, extraEnv };
    instances.push(await startOnStack(stackEnv!, second));
    operator = await first.token('operator-1', 'operator');
    products = await waitForCatalogue(first.webUrl);
  }, 200_000);

  afterAll(async () => {
    for (const instance of instances) await instance[Symbol.asyncDispose]();
  });

  it('loses none, repeats none, and the stock adds up', async () => {
    const [first, second] = instances as [StackPlatform, StackPlatform];
    const stockBefore = await readStocks(first.webUrl, operator);
    const bffs = instances.map(({ webUrl }) => `${webUrl}/graphql/web`);
    const subscribers = [
      new ResumingSubscriber(bffs, operator, ALL_ORDERS),
      new ResumingSubscriber(bffs.toReversed(), operator, ALL_ORDERS),
    ];
    const partner = await first.token('partner-kills', 'partner', customers);
    await using receiver = await CountingReceiver.register(second.webUrl, partner, ALL_ORDERS);
    // A subscriber has a cursor only after its first message.
    const placed = [await orderSeenByAll(subscribers)];
    await placeWhileKilling(placed);
    expect(placed.length).toBeGreaterThanOrEqual(ORDERS);
    expect(new Set(placed).size).toBe(placed.length);

    const orders = await untilAllEnded(placed);
    expect(
      new Set(orders.map(({ status }) => status)).difference(new Set(['DELIVERED', 'REJECTED'])),
    ).toEqual(new Set());
    for (const subscriber of subscribers) await expectEveryVersionOnce(subscriber, orders);
    expect(await receiver.wrongVersions(orders)).toEqual([]);
    console.log(`${receiver.repeats} webhooks came twice, under their webhook-id`);
    await expectStockToAddUp(stockBefore, orders);
    for (const instance of instances) await expectNothingLeftOver(instance);
  }, 600_000);

  /** Places orders as long as there are processes left to kill, so that each is killed under load. */
  async function placeWhileKilling(placed: string[]): Promise<void> {
    let killers = instances.length;
    const killing = instances.map((instance, index) =>
      killAll(instance, index === 0 ? all : secondHas).finally(() => (killers -= 1)),
    );
    const placing = customers.map(async (sub, index) => {
      const instance = instances[index % instances.length]!;
      const customer = await instance.token(sub, 'customer');
      while (placed.length < ORDERS || killers > 0) {
        placed.push(
          await placeWithRetries(instance.webUrl, customer, products[placed.length % products.length]!),
        );
        if (placed.length >= ORDERS) await delay(100);
      }
    });
    await Promise.all([...killing, ...placing]);
  }

  /** Kills each process of one instance in random order, at random moments; also while its twin is down. */
  async function killAll(
    { processes: running }: StackPlatform,
    names: readonly ProcessName[],
  ): Promise<void> {
    for (const name of shuffled(names)) {
      await delay(randomInt(200, 2_000));
      await running.kill(name, 'SIGKILL');
      await delay(randomInt(0, 1_000));
      await running.restart(name);
    }
  }

  /** Retries with the same command id until there is an answer, which is safe. */
  async function placeWithRetries(webUrl: string, token: string, productId: string): Promise<string> {
    const commandId = randomUUID();
    for (;;) {
      try {
        return (await placeOrder(webUrl, token, [{ productId, quantity: 1 }], commandId)).orderId;
      } catch {
        await delay(200);
      }
    }
  }

  /** Places orders until the subscribers, which start at an unknown moment, have seen the same one. */
  async function orderSeenByAll(subscribers: readonly ResumingSubscriber[]): Promise<string> {
    const instance = instances[0]!;
    const customer = await instance.token('customer-1', 'customer');
    for (;;) {
      const orderId = await placeWithRetries(instance.webUrl, customer, products[0]!);
      const seen = await until(
        () =>
          subscribers.every(({ messages }) =>
            messages.some(({ key, version }) => key === orderId && version === 1),
          ),
        { what: 'a first event', timeoutMs: 3_000 },
      ).catch(() => false);
      if (seen) return orderId;
    }
  }

  async function untilAllEnded(ids: readonly string[]): Promise<Order[]> {
    const wanted = new Set(ids);
    const { webUrl } = instances[0]!;
    const read = async (): Promise<Order[]> =>
      (await readOrders(webUrl, operator)).filter(({ id }) => wanted.has(id));
    let orders: Order[] = [];
    await until(
      async () => {
        orders = await read();
        const ended = orders.every(({ status }) => status === 'DELIVERED' || status === 'REJECTED');
        return orders.length === ids.length && ended;
      },
      { what: 'every order to end', timeoutMs: 180_000, everyMs: 1_000 },
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
    const total = orders.reduce((sum, { version }) => sum + version, 0);
    await until(() => subscriber.messages.length >= total, {
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
    const stocks = () => readStocks(instances[1]!.webUrl, operator);
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

  /** Expects that the metrics of each process tell of no lag, no outbox and no dead letter. */
  async function expectNothingLeftOver({ processes: running }: StackPlatform): Promise<void> {
    const waiting =
      /^tidegate_(?:consumer_lag_records|outbox_(?:refused_)?rows|dead_letters_total)\b.* [1-9]/;
    const left = async (name: ProcessName): Promise<string[]> => {
      const body = await (await fetch(`${running.urls[name]}/metrics`)).text();
      return body.split('\n').filter((line) => waiting.test(line));
    };
    for (const name of secondHas) {
      await until(async () => (await left(name)).length === 0, {
        what: `${name} to have handled everything`,
        timeoutMs: 20_000,
        everyMs: 1_000,
      }).catch(() => undefined);
      expect([name, await left(name)]).toEqual([name, []]);
    }
  }
});

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function soldQuantities(orders: readonly Order[]): ReadonlyMap<string, number> {
  const sold = new Map<string, number>();
  for (const { status, lines } of orders) {
    if (status !== 'DELIVERED') continue;
    for (const { productId, quantity } of lines) sold.set(productId, (sold.get(productId) ?? 0) + quantity);
  }
  return sold;
}

/**
 * Promise: nothing depends on the clocks of two machines agreeing. Two instances of everything share the work while the
 * clocks of one are ahead: every order ends, nothing is sent twice, nothing is lost.
 */
import { clockShiftedBy, until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processes } from '../../../scripts/processes.ts';
import { CountingReceiver } from '../../harness/counting-receiver.ts';
import { placeOrder, waitForCatalogue } from '../../harness/graphql.ts';
import { readOrders } from '../../harness/read-state.ts';
import { realStackFromEnv, startOnStack, type StackPlatform } from '../../harness/running-platform.ts';

const ORDERS = 150;
/** Kafka takes no record whose time is more than an hour ahead of the broker's. */
const AHEAD = '+3300s';
/** Leases are in flight whenever the other dispatcher looks. */
const ANSWER_AFTER_MS = 250;
const shared = ['payment-provider'];
const stackEnv = realStackFromEnv();

describe.skipIf(stackEnv === undefined)('two instances, of which one is 55 minutes ahead', () => {
  const instances: StackPlatform[] = [];

  beforeAll(async () => {
    const first = await startOnStack(stackEnv!, { portOffset: 20_000 });
    instances.push(first);
    const names = processes.map(({ name }) => name).filter((name) => !shared.includes(name));
    const ahead = clockShiftedBy(AHEAD);
    const extraEnv = {
      ...Object.fromEntries(names.map((name) => [name, ahead])),
      payments: { ...ahead, PAYMENT_PROVIDER_URL: first.processes.urls['payment-provider'] },
    };
    instances.push(await startOnStack(stackEnv!, { portOffset: 22_000, only: names, extraEnv }));
    await waitForCatalogue(first.webUrl);
  }, 200_000);

  afterAll(async () => {
    for (const instance of instances) await instance[Symbol.asyncDispose]();
  });

  it('bring every order to its end, and each webhook once', async () => {
    const [first, second] = instances as [StackPlatform, StackPlatform];
    const partner = await first.token('partner-clocks', 'partner', ['customer-1']);
    const document = 'subscription { orders { id version status } }';
    await using receiver = await CountingReceiver.register(second.webUrl, partner, document, ANSWER_AFTER_MS);
    const [productId] = await waitForCatalogue(second.webUrl);
    const customer = await first.token('customer-1', 'customer');
    const placed = new Set<string>();
    while (placed.size < ORDERS) {
      const { webUrl } = instances[placed.size % instances.length]!;
      placed.add((await placeOrder(webUrl, customer, [{ productId: productId!, quantity: 1 }])).orderId);
    }

    const operator = await first.token('operator-1', 'operator');
    const own = async () => (await readOrders(second.webUrl, operator)).filter(({ id }) => placed.has(id));
    await until(
      async () => {
        const orders = await own();
        return (
          orders.length === ORDERS && orders.every(({ status }) => /^(DELIVERED|REJECTED)$/.test(status))
        );
      },
      { what: 'every order to end', timeoutMs: 120_000, everyMs: 1_000 },
    );
    expect(await receiver.wrongVersions(await own())).toEqual([]);
    expect(receiver.repeats).toBe(0);
  });
});

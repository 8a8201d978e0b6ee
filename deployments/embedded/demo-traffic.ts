import { randomInt, randomUUID } from 'node:crypto';
import { cancelOrder, listProducts, placeOrder } from '@order-platform/contracts';
import { delay } from '@tidegate/runtime/resilience';
import type { ServiceClient } from '@tidegate/service/operations';
import type { Logger } from '@tidegate/runtime/telemetry';

const CUSTOMERS = ['customer-1', 'customer-2', 'customer-3', 'customer-4', 'customer-5'];
const ONE_IN_TEN = 10;

/**
 * Places an order about every `everyMs` milliseconds (default 2,500) and cancels one in ten, so that the page of a
 * newcomer shows live changes.
 */
export function startDemoTraffic(
  client: ServiceClient,
  logger: Logger,
  everyMs = 2_500,
): { stop(): Promise<void> } {
  const ended = new AbortController();
  const running = run();

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      try {
        await delay(randomInt(everyMs / 2, everyMs * 1.5), ended.signal);
        await order(client, ended.signal);
      } catch (error) {
        if (!ended.signal.aborted)
          logger.warn({ err: error }, 'an order of the demo traffic could not be placed');
      }
    }
  }

  return {
    stop: async () => {
      ended.abort(new Error('the demo traffic was stopped'));
      await running;
    },
  };
}

async function order(client: ServiceClient, signal: AbortSignal): Promise<void> {
  const { products } = await client.call(listProducts, { first: 40 });
  if (products.length === 0) return;
  const lines = Array.from({ length: randomInt(1, 4) }, () => products[randomInt(products.length)]!);
  const customerId = CUSTOMERS[randomInt(CUSTOMERS.length)]!;
  const placed = await client.call(placeOrder, {
    commandId: randomUUID(),
    actor: { role: 'system', id: 'demo' },
    customerId,
    lines: [...new Set(lines)].map(({ productId, price }) => ({
      productId,
      quantity: randomInt(1, 4),
      unitPriceCents: price.amountCents,
    })),
  });
  if (placed.status !== 'accepted' || randomInt(ONE_IN_TEN) > 0) return;
  await delay(200, signal);
  const reason = 'Changed my mind';
  const actor = { role: 'system' as const, id: 'demo' };
  await client.call(cancelOrder, { commandId: randomUUID(), actor, orderId: placed.orderId, reason });
}

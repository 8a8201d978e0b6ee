import { randomInt, randomUUID } from 'node:crypto';
import { cancelOrder, listProducts, placeOrder } from '@order-platform/contracts';
import { delay } from '@tidegate/runtime/resilience';
import type { ServiceClient } from '@tidegate/service/operations';
import type { Logger } from '@tidegate/runtime/telemetry';

const CUSTOMERS = ['customer-1', 'customer-2', 'customer-3', 'customer-4', 'customer-5'];
const ONE_IN_TEN = 10;
const MB = 1024 * 1024;

export interface DemoTrafficOptions {
  readonly client: ServiceClient;
  readonly logger: Logger;
  /** Returns the bytes of the data folder. */
  readonly usedBytes: () => Promise<number>;
  /** Size of the data folder in MB from which no order is placed. */
  readonly maxDataMb: number;
  /** Average time between two orders in milliseconds, at first and later. Default 2,500 and 60,000. */
  readonly everyMs?: { readonly first: number; readonly later: number };
  /** Time in milliseconds after which orders become rare. Default 2 hours. */
  readonly firstForMs?: number;
}

/**
 * Places orders and cancels one in ten, so that the page of a newcomer shows live changes. After two hours the orders
 * become rare: their events are kept for ever, and a demo that is left running must not fill the disk.
 */
export function startDemoTraffic({
  client,
  logger,
  usedBytes,
  maxDataMb,
  everyMs = { first: 2_500, later: 60_000 },
  firstForMs = 2 * 60 * 60 * 1000,
}: DemoTrafficOptions): { stop(): Promise<void> } {
  const slowsDownAtMs = Date.now() + firstForMs;
  let isFull = false;
  const ended = new AbortController();
  const running = run();

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      try {
        const averageMs = Date.now() < slowsDownAtMs ? everyMs.first : everyMs.later;
        await delay(randomInt(averageMs / 2, averageMs * 1.5), ended.signal);
        if (await hasRoom()) await order(client, ended.signal);
      } catch (error) {
        if (!ended.signal.aborted)
          logger.warn({ err: error }, 'an order of the demo traffic could not be placed');
      }
    }
  }

  async function hasRoom(): Promise<boolean> {
    const wasFull = isFull;
    isFull = (await usedBytes()) >= maxDataMb * MB;
    if (isFull && !wasFull) {
      logger.warn(
        { maxDataMb },
        'the demo traffic pauses: the data folder has reached DEMO_MAX_DATA_MB; raise it, or delete the folder',
      );
    }
    return !isFull;
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

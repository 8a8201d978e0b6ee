import { listProducts } from '@order-platform/contracts';
import type { ServiceClient } from '@tidegate/service/operations';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDemoTraffic, type DemoTrafficOptions } from './demo-traffic.ts';

const HOUR_MS = 60 * 60 * 1000;

/** A catalogue that is still empty: every order begins with a look at it, and ends there. */
class CountingClient {
  orders = 0;

  call = async (operation: unknown): Promise<unknown> => {
    if (operation === listProducts) this.orders += 1;
    return { products: [] };
  };
}

describe('the demo traffic', () => {
  let client: CountingClient;
  let traffic: { stop(): Promise<void> } | undefined;

  beforeEach(() => void vi.useFakeTimers());
  afterEach(async () => {
    await traffic?.stop();
    vi.useRealTimers();
  });

  function start(options: Partial<DemoTrafficOptions> = {}): void {
    client = new CountingClient();
    traffic = startDemoTraffic({
      client: client as unknown as ServiceClient,
      logger: silentLogger,
      usedBytes: async () => 0,
      maxDataMb: 100,
      ...options,
    });
  }

  it('places an order about every 2.5 s for two hours, then about every minute', async () => {
    start();
    await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
    const first = client.orders;
    expect(first).toBeGreaterThan(2_500);
    await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
    const later = client.orders - first;
    expect([later > 90, later < 150]).toEqual([true, true]);
  });

  it('pauses while the data folder has its maximum size, says so once, and goes on when there is room', async () => {
    const warn = vi.fn<() => void>();
    let bytes = 100 * 1024 * 1024;
    start({ usedBytes: async () => bytes, logger: { ...silentLogger, warn } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([client.orders, warn.mock.calls.length]).toEqual([0, 1]);
    bytes -= 1;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.orders).toBeGreaterThan(10);
  });
});

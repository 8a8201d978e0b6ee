import { chromiumPathFromEnv, until } from '@tidegate/testing';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOrder, productIds } from '../harness/graphql.ts';
import {
  realStackFromEnv,
  startEmbedded,
  startOnStack,
  type RunningPlatform,
} from '../harness/running-platform.ts';

const executablePath = chromiumPathFromEnv();
const stackEnv = realStackFromEnv();
const platforms = [
  { name: 'the embedded default', start: () => startEmbedded(), skip: executablePath === undefined },
  {
    name: 'Kafka, Postgres and Redis',
    start: () => startOnStack(stackEnv!),
    skip: executablePath === undefined || stackEnv === undefined,
  },
];

/** Chromium keeps to itself: no updates, no look-ups, no sandbox it cannot have as root. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

for (const { name, start, skip } of platforms) {
  describe.skipIf(skip)(`the board in Chromium on ${name}`, () => {
    let platform: RunningPlatform;
    let browser: Browser;

    beforeAll(async () => {
      [platform, browser] = await Promise.all([
        start(),
        chromium.launch({ executablePath: executablePath!, headless: true, args }),
      ]);
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await platform?.[Symbol.asyncDispose]();
    });

    it('shows an order that is placed elsewhere, and each of its states, without a reload', async () => {
      await until(async () => (await productIds(platform.webUrl)).length === 40, { what: 'the catalogue' });
      const [productId] = await productIds(platform.webUrl);
      const customer = await platform.token('customer-1', 'customer');
      const page = await browser.newPage();
      await page.addInitScript((token) => sessionStorage.setItem('tidegate.token', token), customer);
      let loads = 0;
      page.on('load', () => (loads += 1));
      await page.goto(platform.webUrl, { waitUntil: 'commit' });
      await page.locator('[data-testid=phase][data-phase=live]').waitFor({ timeout: 20_000 });

      const { orderId } = await placeOrder(platform.webUrl, customer, [
        { productId: productId!, quantity: 1 },
      ]);
      const row = page.locator(`[data-testid=order-row][data-order-id="${orderId}"]`);
      await row.waitFor({ timeout: 10_000 });
      await page
        .locator(`[data-testid=order-row][data-order-id="${orderId}"][data-status=DELIVERED]`)
        .waitFor({ timeout: 20_000 });
      expect(loads).toBeLessThanOrEqual(1);
    });
  });
}

/** Promise: the board shows an order placed elsewhere and each of its states without a reload. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../harness/chromium.ts';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { deployments, type RunningPlatform } from '../harness/running-platform.ts';

const chromium = findChromium();

for (const { name, start, skip } of deployments()) {
  describe.skipIf(skip || chromium === undefined)(`the board in Chromium on ${name}`, () => {
    let platform: RunningPlatform;
    let browser: Browser;

    beforeAll(async () => {
      [platform, browser] = await Promise.all([start(), launchChromium(chromium!)]);
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await platform?.[Symbol.asyncDispose]();
    });

    it('shows an order placed elsewhere and each of its states without a reload', async () => {
      const [productId] = await waitForCatalogue(platform.webUrl);
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

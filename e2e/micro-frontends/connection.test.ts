/** Promise: the page says what is known about its connection, and shows no stale orders as if they were live. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { buildMicrofrontends } from '../../microfrontends/build.ts';
import { findChromium, launchChromium } from '../harness/chromium.ts';
import { DemoPage } from './demo-page.fixture.ts';
import { demoOrder, type DemoServer } from './demo-server.fixture.ts';

const chromium = findChromium();

describe.skipIf(chromium === undefined)('the connection of a page in Chromium', () => {
  let browser: Browser;
  let demo: DemoPage;
  let server: DemoServer;
  let url: string;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    await buildMicrofrontends();
    browser = await launchChromium(chromium!);
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    demo = await new DemoPage().open(browser);
    ({ server, url, page, context } = demo);
  });
  afterEach(() => demo?.[Symbol.asyncDispose]());

  const row = (id: string, status?: string) => demo.row(id, status);
  const live = () => demo.live();
  const count = (total: number) => page.locator(`[data-testid=count][data-count="${total}"]`).waitFor();

  it('says that it is offline within 3 s, since when, and connects on request', async () => {
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    server.freeze();
    await page.locator('[data-testid=phase][data-phase=offline]').waitFor({ timeout: 3_000 });
    await page.getByText(/Offline for \d+ s/).waitFor();
    await page.locator('[data-testid=board][data-stale=true]').waitFor();
    // Between two attempts. A click that waits could miss the button: the next attempt connects by itself.
    await page.locator('[data-testid=retry-now]:enabled').waitFor();
    server.thaw();
    await page.evaluate(`document.querySelector('[data-testid=retry-now]')?.click()`);
    await live();
    await page.locator('[data-testid=board][data-stale=false]').waitFor();
  });

  it('does not move on a phone, neither while it loads nor with each change', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.addInitScript(() => {
      const shift = globalThis as { cls?: number };
      shift.cls = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
          shift.cls! += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    for (let index = 0; index < 30; index++) server.publish(demoOrder({ id: `o-${index}` }));
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    await row('o-29').waitFor();
    for (let index = 30; index < 36; index++) server.publish(demoOrder({ id: `o-${index}` }));
    await page.getByRole('button', { name: '6 changes, show' }).waitFor();
    expect(await page.evaluate(() => (globalThis as { cls?: number }).cls)).toBeLessThan(0.1);
  });

  it('is offline when the browser is', async () => {
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    await context.setOffline(true);
    await page.locator('[data-testid=phase][data-phase=offline]').waitFor({ timeout: 3_000 });
    await context.setOffline(false);
    await live();
  });

  it('keeps the page when its token has expired, and continues with a new one', async () => {
    server.issuesTokens = false;
    const token = (lifetimeMs: number) => {
      const claims = { sub: 'customer-9', role: 'customer', exp: (Date.now() + lifetimeMs) / 1_000 };
      return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
    };
    await page.addInitScript((text) => sessionStorage.setItem('tidegate.token', text), token(4_000));
    await page.goto(`${url}/new`, { waitUntil: 'commit' });
    await page.getByTestId('add-product').click();
    await until(() => server.dropExpired(), { what: 'the token expires' });
    await page.locator('[data-testid=phase][data-phase=signed-out]').waitFor();
    await page.getByTestId('sign-in-again').click();
    await page.getByLabel('Paste a bearer token').fill(token(600_000));
    await page.getByRole('button', { name: 'Continue' }).click();
    await live();
    expect(await page.getByTestId('place-order').isEnabled()).toBe(true);
    expect(await page.getByTestId('token-form').count()).toBe(0);
  });

  it('asks for a token when the server issues none', async () => {
    server.issuesTokens = false;
    server.publish(demoOrder({ id: 'o-1' }));
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByLabel('Paste a bearer token').fill('not a token');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This is not a token').waitFor();
    const payload = Buffer.from(JSON.stringify({ sub: 'customer-9', role: 'customer' })).toString(
      'base64url',
    );
    await page.getByLabel('Paste a bearer token').fill(`h.${payload}.s`);
    await page.getByRole('button', { name: 'Continue' }).click();
    await row('o-1').waitFor();
    expect(await page.getByTestId('viewer').textContent()).toBe('customer-9');
  });

  it('reconnects after the connection was cut and shows the missed changes', async () => {
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    server.publish(demoOrder({ id: 'o-1' }));
    await row('o-1', 'PLACED').waitFor();
    server.dropConnections();
    server.publish(demoOrder({ id: 'o-1', version: 2, status: 'RESERVED' }));
    server.publish(demoOrder({ id: 'o-1', version: 3, status: 'CONFIRMED' }));
    await row('o-1', 'CONFIRMED').waitFor();
    await live();
  });

  it('replaces its orders after a refused cursor, and counts by the server above 100 orders', async () => {
    for (let count = 1; count <= 80; count++)
      server.publish(demoOrder({ id: `old-${count}`, status: 'DISPATCHED' }));
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    await count(80);
    server.refuseCursorWith = 'CURSOR_EXPIRED';
    server.orders.clear();
    for (let count = 1; count <= 130; count++)
      server.orders.set(`o-${count}`, demoOrder({ id: `o-${count}` }));
    server.dropConnections();
    await count(130);
    expect(await page.locator('[data-status=DISPATCHED]').count()).toBe(0);
    expect(await page.locator('[data-lane=Placed] [data-testid=lane-count]').textContent()).toBe('130');
    await page.getByTestId('show-more').click();
    await until(async () => (await page.getByTestId('order-row').count()) === 40, { what: 'a further page' });
    await page.locator('[data-testid=board][data-stale=false]').waitFor();
  });
});

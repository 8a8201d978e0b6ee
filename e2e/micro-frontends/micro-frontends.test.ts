/** Promise: the micro-frontends follow orders live, survive lost connections and isolate a broken remote. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { buildMicrofrontends } from '../../microfrontends/build.ts';
import { findChromium, launchChromium } from '../harness/chromium.ts';
import { DemoPage, source } from './demo-page.fixture.ts';
import { demoOrder, type DemoServer } from './demo-server.fixture.ts';

const chromium = findChromium();

describe.skipIf(chromium === undefined)('micro-frontends in Chromium', () => {
  let browser: Browser;
  let demo: DemoPage;
  let root: string;
  let server: DemoServer;
  let url: string;
  let page: Page;
  let pageErrors: string[];

  beforeAll(async () => {
    await buildMicrofrontends();
    browser = await launchChromium(chromium!);
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    demo = await new DemoPage().open(browser);
    ({ server, url, page, root, errors: pageErrors } = demo);
  });
  afterEach(() => demo?.[Symbol.asyncDispose]());

  const row = (id: string, status?: string) => demo.row(id, status);
  const live = () => demo.live();
  const isMarked = () => page.evaluate(() => (globalThis as { mark?: boolean }).mark);

  it('shows an existing order, one placed later and each change, without a reload', async () => {
    server.publish(demoOrder({ id: 'o-1' }));
    await page.goto(url, { waitUntil: 'commit' });
    await row('o-1', 'PLACED').waitFor();
    await live();
    await page.evaluate(() => ((globalThis as { mark?: boolean }).mark = true));
    server.publish(demoOrder({ id: 'o-2' }));
    await row('o-2', 'PLACED').waitFor();
    server.publish(demoOrder({ id: 'o-2', version: 2, status: 'RESERVED' }));
    await row('o-2', 'RESERVED').waitFor();
    expect(await row('o-2').count()).toBe(1);
    expect(await isMarked()).toBe(true);
    // Neither the content security policy nor the integrity of a module was violated.
    expect(pageErrors).toEqual([]);
  });

  it('signs a new visitor in as operator and keeps another choice for the tab', async () => {
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    expect(await page.getByTestId('viewer').inputValue()).toBe('operator');
    await page.getByTestId('viewer').selectOption('customer-1');
    await live();
    await page.reload({ waitUntil: 'commit' });
    await live();
    expect(await page.getByTestId('viewer').inputValue()).toBe('customer-1');
  });

  it('fetches its lists once', async () => {
    server.publish(demoOrder({ id: 'o-1' }));
    await page.goto(url, { waitUntil: 'commit' });
    await row('o-1').waitFor();
    await live();
    await page.getByRole('link', { name: 'New order' }).click();
    await page.getByTestId('product').waitFor();
    await page.getByRole('link', { name: 'Board' }).click();
    await row('o-1').waitFor();
    const names = server.queries.map((query) => /query (\w+)/.exec(query)?.[1]);
    expect(new Set(names)).toEqual(new Set(['Board', 'Catalogue']));
    expect(names).toHaveLength(2);
  });

  it('keeps focus and places while a card is focused or hovered, and shows the changes on request', async () => {
    server.publish(demoOrder({ id: 'o-1' }));
    await page.goto(url, { waitUntil: 'commit' });
    await live();
    await row('o-1').focus();
    const handle = await row('o-1').elementHandle();
    server.publish(demoOrder({ id: 'o-1', version: 2, status: 'RESERVED' }));
    server.publish(demoOrder({ id: 'o-2' }));
    await page.getByRole('button', { name: '2 changes, show' }).waitFor();
    // The card itself is current, and the same element.
    expect(await handle?.getAttribute('data-status')).toBe('RESERVED');
    expect(await page.evaluate((element) => document.activeElement === element, handle)).toBe(true);
    expect(await row('o-2').count()).toBe(0);
    await page.getByTestId('show-changes').click();
    await row('o-2').waitFor();
    await page.locator('[data-lane=Reserved] [data-order-id=o-1]').waitFor();
    await row('o-2').hover();
    server.publish(demoOrder({ id: 'o-3' }));
    await page.getByRole('button', { name: '1 change, show' }).waitFor();
    await page.mouse.move(5, 5);
    await row('o-3').waitFor();
  });

  it('places an order, follows it, and cancels it', async () => {
    await page.goto(`${url}/new`, { waitUntil: 'commit' });
    await page.getByTestId('add-product').click();
    server.publishStock('tent', 3);
    await page.getByText('3 left').waitFor();
    await page.getByTestId('place-order').click();
    await page.locator('[data-testid=order-detail][data-status=PLACED]').waitFor();
    expect(new URL(page.url()).pathname).toBe('/orders/order-1');
    server.publish(demoOrder({ id: 'order-1', version: 2, status: 'RESERVED' }));
    await page.locator('[data-testid=timeline] [data-status=RESERVED][aria-current=step]').waitFor();
    await page.getByTestId('cancel-order').click();
    await page.getByTestId('keep-order').click();
    await page.getByTestId('cancel-order').click();
    await page.getByTestId('confirm-cancel').click();
    await page.locator('[data-testid=order-detail][data-status=CANCELLED]').waitFor();
    expect(pageErrors).toEqual([]);
  });

  it('shows the date and time of each step of an order, after a reload too', async () => {
    const statuses = ['PLACED', 'RESERVED', 'CONFIRMED', 'PREPARING'] as const;
    const steps = statuses.map((status, hour) => ({ status, at: `2026-03-0${hour + 1}T12:00:00.000Z` }));
    server.publish(demoOrder({ id: 'o-1', status: 'PREPARING', steps }));
    await page.goto(`${url}/orders/o-1`, { waitUntil: 'commit' });
    const times = page.locator('[data-testid=timeline] time');
    const shown = (): Promise<(string | null)[]> =>
      times.evaluateAll((all) => all.map((each) => each.getAttribute('datetime')));
    for (const load of ['first', 'again']) {
      await page.locator('[data-testid=timeline] [data-status=PREPARING][aria-current=step]').waitFor();
      expect([load, await shown()]).toEqual([load, steps.map(({ at }) => at)]);
      expect(await times.first().textContent()).toMatch(/Mar/);
      await page.reload({ waitUntil: 'commit' });
    }
  });

  it('shows the reason of a rejection and keeps the basket', async () => {
    server.rejectWith = { code: 'OUT_OF_STOCK', message: 'There are only 2 left.' };
    await page.goto(`${url}/new`, { waitUntil: 'commit' });
    await page.getByTestId('add-product').click();
    await page.getByTestId('place-order').click();
    await page.locator('[data-testid=rejection][data-code=OUT_OF_STOCK]').waitFor();
    expect(await page.getByTestId('place-order').isEnabled()).toBe(true);
  });

  it('returns the basket of an order that is rejected later, and adds nothing that is sold out', async () => {
    await page.goto(`${url}/new`, { waitUntil: 'commit' });
    await page.getByTestId('add-product').click();
    await page.getByTestId('place-order').click();
    await page.locator('[data-testid=order-detail][data-status=PLACED]').waitFor();
    const rejection = { code: 'OUT_OF_STOCK', message: 'None is left.' };
    server.publishStock('tent', 0);
    server.publish({ ...server.orders.get('order-1')!, version: 2, status: 'REJECTED', rejection });
    await page.getByText('in the basket again').waitFor();
    await page.getByRole('link', { name: 'New order' }).click();
    await page.getByTestId('basket').getByText('Sold out').waitFor();
    await page.getByTestId('basket').getByLabel('One Two-person tent less').click();
    await until(() => page.getByTestId('add-product').isDisabled(), { what: 'nothing can be added' });
  });

  it('has a placeholder for a remote with a broken manifest and shows the remote after a retry', async () => {
    server.publish(demoOrder({ id: 'o-1' }));
    writeFileSync(join(root, 'orders', 'dist', 'manifest.json'), '{"name": "orders", "ent');
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByTestId('placeholder').waitFor();
    expect(await page.getByTestId('phase').count()).toBe(1);
    cpSync(join(source, 'orders', 'dist', 'manifest.json'), join(root, 'orders', 'dist', 'manifest.json'));
    await page.getByTestId('retry').click();
    await row('o-1').waitFor();
  });

  it('has a placeholder for a remote whose module was tampered with', async () => {
    await page.route('**/mfe/orders/*.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'export const mount = () => () => {};' }),
    );
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByTestId('placeholder').waitFor();
    await page.unroute('**/mfe/orders/*.js');
    await page.getByTestId('retry').click();
    await page.getByTestId('board').waitFor();
  });

  it('has a skeleton for a remote that does not load, while the rest works', async () => {
    await page.route('**/mfe/orders/*.js', () => {});
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByTestId('skeleton').waitFor();
    await page.getByTestId('viewer').selectOption('customer-2');
    expect(await page.getByTestId('viewer').inputValue()).toBe('customer-2');
  });

  it('has a card for a remote that fails while it draws, and shows it after a retry', async () => {
    server.publish(demoOrder({ id: 'o-1', total: { amountCents: 1, currency: 'none' } }));
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByTestId('placeholder').waitFor();
    server.publish(demoOrder({ id: 'o-1', version: 2 }));
    await page.getByTestId('retry').click();
    await row('o-1').waitFor();
  });

  it('has a card for a remote that hangs for 10 s, and shows it after a retry', async () => {
    server.publish(demoOrder({ id: 'o-1' }));
    await page.route('**/mfe/orders/*.js', () => {});
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByTestId('placeholder').waitFor({ timeout: 12_000 });
    await page.unroute('**/mfe/orders/*.js');
    await page.getByTestId('retry').click();
    await row('o-1').waitFor();
  });
});

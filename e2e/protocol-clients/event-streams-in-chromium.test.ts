/** Promise: without WebSockets every subscription of a page runs, also over HTTP/1.1 with its six connections. */
import { fileURLToPath } from 'node:url';
import type { LiveClient } from '@tidegate/live-client';
import { until } from '@tidegate/testing';
import type { Browser, Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../harness/chromium.ts';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const chromium = findChromium();
const SUBSCRIPTIONS = 9;

interface TestedPage {
  readonly liveClient: { createLiveClient: (options: object) => LiveClient };
  client: LiveClient;
  seen: number[];
}

/** Bundles the client as a page's script. */
async function bundleClient(): Promise<string> {
  const entry = fileURLToPath(new URL('../../packages/live-client/src/index.ts', import.meta.url));
  const lib = { entry, formats: ['iife' as const], name: 'liveClient' };
  const built = await build({ configFile: false, logLevel: 'warn', build: { write: false, lib } });
  const [{ output }] = built as Rolldown.RolldownOutput[] as [Rolldown.RolldownOutput];
  return output[0].code;
}

describe.skipIf(chromium === undefined)('a page in Chromium without WebSockets', () => {
  let browser: Browser;
  let platform: EmbeddedPlatform;
  let page: Page;
  let token: string;
  let productId: string;

  beforeAll(async () => {
    const script = await bundleClient();
    platform = await startEmbedded();
    token = await platform.token('customer-1', 'customer');
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
    browser = await launchChromium(chromium!);
    const context = await browser.newContext({ bypassCSP: true });
    page = await context.newPage();
    await page.addInitScript('delete globalThis.WebSocket');
    await page.goto(platform.webUrl, { waitUntil: 'commit' });
    await page.addScriptTag({ content: script });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await platform?.[Symbol.asyncDispose]();
  });

  it('runs nine subscriptions over HTTP/1.1, and queries beside them', async () => {
    const protocol = await page.evaluate(
      () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
    );
    expect(protocol).toBe('http/1.1');
    await page.evaluate(
      ({ url, bearer, count }) => {
        const tested = globalThis as unknown as TestedPage;
        tested.seen = Array.from({ length: count }, () => 0);
        tested.client = tested.liveClient.createLiveClient({ url, token: () => Promise.resolve(bearer) });
        for (let index = 0; index < count; index++) {
          tested.client.subscribe({
            query: 'subscription { orders { id version } }',
            onResult: () => (tested.seen[index]! += 1),
          });
        }
      },
      { url: `${platform.webUrl}/graphql/web`, bearer: token, count: SUBSCRIPTIONS },
    );
    await page.waitForFunction(() => (globalThis as unknown as TestedPage).client.phase === 'live');
    expect(await page.evaluate(() => (globalThis as unknown as TestedPage).client.transport)).toBe('sse');
    await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    const seen = (): Promise<number[]> => page.evaluate(() => (globalThis as unknown as TestedPage).seen);
    await until(async () => (await seen()).every((count) => count >= 3), {
      what: 'three changes at all nine',
    });
    const me = await page.evaluate(() =>
      (globalThis as unknown as TestedPage).client.query({ query: '{ me { id } }' }),
    );
    expect(me).toMatchObject({ data: { me: { id: 'customer-1' } } });
  });

  it('resumes them after a restart of the server without a gap', async () => {
    await platform.killAndRestart();
    await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    const seen = (): Promise<number[]> => page.evaluate(() => (globalThis as unknown as TestedPage).seen);
    const settled = async (): Promise<boolean> => {
      const counts = await seen();
      return counts.every((count) => count >= 8 && count === counts[0]);
    };
    await until(settled, { what: 'as many changes at all nine', timeoutMs: 30_000 });
  });
});

/**
 * Promise: clients in a browser work. Without WebSockets every subscription of a page runs, also over HTTP/1.1 with its
 * six connections, and stock clients over HTTP need no options.
 */
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
  readonly httpClients: typeof import('./http-clients.page.ts');
  followed: Map<string, number[]>;
  readonly liveClient: { createLiveClient: (options: object) => LiveClient };
  client: LiveClient;
  /** Versions of each order that each of the nine subscriptions has received. */
  seen: Record<string, number[]>[];
}

/** Bundles a module as a page's script, which puts its exports into a global of this name. */
async function bundle(path: string, name: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const lib = { entry, formats: ['iife' as const], name };
  const define = { 'process.env.NODE_ENV': '"production"' };
  const built = await build({ configFile: false, logLevel: 'warn', define, build: { write: false, lib } });
  const [{ output }] = built as Rolldown.RolldownOutput[] as [Rolldown.RolldownOutput];
  return output[0].code;
}

describe.skipIf(chromium === undefined)('a page in Chromium', () => {
  let browser: Browser;
  let platform: EmbeddedPlatform;
  let page: Page;
  let token: string;
  let productId: string;
  let graphql: string;

  beforeAll(async () => {
    const scripts = [
      await bundle('../../packages/live-client/src/index.ts', 'liveClient'),
      await bundle('./http-clients.page.ts', 'httpClients'),
    ];
    platform = await startEmbedded();
    graphql = `${platform.webUrl}/graphql/web`;
    token = await platform.token('customer-1', 'customer');
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
    browser = await launchChromium(chromium!);
    const context = await browser.newContext({ bypassCSP: true });
    page = await context.newPage();
    await page.addInitScript('delete globalThis.WebSocket');
    await page.goto(platform.webUrl, { waitUntil: 'commit' });
    for (const content of scripts) await page.addScriptTag({ content });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await platform?.[Symbol.asyncDispose]();
  });

  it.each(['askWithUrql', 'askWithApollo'] as const)(
    'queries over HTTP with a stock client: %s',
    async (ask) => {
      const answers = await page.evaluate(
        ({ name, url, bearer }) => (globalThis as unknown as TestedPage).httpClients[name](url, bearer),
        { name: ask, url: graphql, bearer: token },
      );
      expect(answers).toMatchObject({
        me: { me: { id: 'customer-1' } },
        refusal: 'GRAPHQL_VALIDATION_FAILED',
      });
    },
  );

  it('subscribes over HTTP with stock Apollo Client: every change', async () => {
    await page.evaluate(
      ({ url, bearer }) => {
        const tested = globalThis as unknown as TestedPage;
        tested.followed = tested.httpClients.followWithApollo(url, bearer);
      },
      { url: graphql, bearer: token },
    );
    // Nothing tells that the subscription is open but a change: orders are placed until one is followed.
    let followed: [string, number[]][] = [];
    const follows = async (): Promise<boolean> => {
      await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
      await page.waitForTimeout(300);
      followed = await page.evaluate(() => [...(globalThis as unknown as TestedPage).followed]);
      return followed.some(([, versions]) => versions.length >= 3);
    };
    await until(follows, { what: 'three changes of an order' });
    for (const [, versions] of followed)
      expect(versions).toEqual(versions.map((_, index) => versions[0]! + index));
  });

  it('runs nine subscriptions over HTTP/1.1 without WebSockets, and queries beside them', async () => {
    const protocol = await page.evaluate(
      () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
    );
    expect(protocol).toBe('http/1.1');
    await page.evaluate(
      ({ url, bearer, count }) => {
        const tested = globalThis as unknown as TestedPage;
        tested.seen = Array.from({ length: count }, () => ({}));
        tested.client = tested.liveClient.createLiveClient({ url, token: () => Promise.resolve(bearer) });
        for (let index = 0; index < count; index++) {
          tested.client.subscribe({
            query: 'subscription { orders { id version } }',
            onResult: ({ data }) => {
              const { id, version } = (data as { orders: { id: string; version: number } }).orders;
              (tested.seen[index]![id] ??= []).push(version);
            },
          });
        }
      },
      { url: graphql, bearer: token, count: SUBSCRIPTIONS },
    );
    await page.waitForFunction(() => (globalThis as unknown as TestedPage).client.phase === 'live');
    expect(await page.evaluate(() => (globalThis as unknown as TestedPage).client.transport)).toBe('sse');
    await seeEveryVersion();
    const me = await page.evaluate(() =>
      (globalThis as unknown as TestedPage).client.query({ query: '{ me { id } }' }),
    );
    expect(me).toMatchObject({ data: { me: { id: 'customer-1' } } });
  });

  it('resumes them after a restart of the server without a gap', async () => {
    await platform.killAndRestart();
    await seeEveryVersion(1);
  });

  /**
   * Places an order, and waits until all nine subscriptions have received its versions without a gap.
   *
   * @param firstVersion which all have to begin with. Default: any, because a subscription may open after the order.
   */
  async function seeEveryVersion(firstVersion?: number): Promise<void> {
    const { orderId } = await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    const versions = (): Promise<(number[] | undefined)[]> =>
      page.evaluate((id) => (globalThis as unknown as TestedPage).seen.map((orders) => orders[id]), orderId);
    const everywhere = await until(
      async () => {
        const received = await versions();
        return received.every((each) => (each?.length ?? 0) >= 3) && received;
      },
      { what: 'three versions of the order at all nine', timeoutMs: 30_000 },
    );
    for (const received of everywhere) {
      const from = firstVersion ?? received![0]!;
      expect(received).toEqual(received!.map((_, index) => from + index));
    }
  }
});

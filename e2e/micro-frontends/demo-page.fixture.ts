import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createComposition } from '@tidegate/gateway';
import { silentLogger } from '@tidegate/runtime/telemetry';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { DemoServer } from './demo-server.fixture.ts';

export const source = fileURLToPath(new URL('../../microfrontends', import.meta.url));

/** A page in Chromium with the built micro-frontends, in a copy that a test may damage, and a server with one product. */
export class DemoPage implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'board-'));
  readonly server: DemoServer;
  /** Errors of the page and its console. */
  readonly errors: string[] = [];
  url = '';
  context!: BrowserContext;
  page!: Page;

  constructor() {
    for (const name of ['shell', 'orders']) {
      cpSync(join(source, name, 'dist'), join(this.root, name, 'dist'), { recursive: true });
    }
    const composition = createComposition({ root: this.root, logger: silentLogger });
    this.server = new DemoServer((request) => composition.handle(request));
    this.server.products.set('tent', {
      id: 'tent',
      name: 'Two-person tent',
      description: 'Stands in four minutes.',
      category: 'Outdoors',
      image: '⛺',
      price: { amountCents: 27_900, currency: 'EUR' },
      stock: { productId: 'tent', available: 12, reserved: 0, version: 1 },
    });
  }

  async open(browser: Browser): Promise<this> {
    this.url = await this.server.listen();
    this.context = await browser.newContext();
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.errors.push(error.message));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    return this;
  }

  row(id: string, status?: string): Locator {
    const ofStatus = status ? `[data-status=${status}]` : '';
    return this.page.locator(`[data-testid=order-row][data-order-id=${id}]${ofStatus}`);
  }

  /** Waits until the page says that it is live. */
  live(): Promise<void> {
    return this.page.locator('[data-testid=phase][data-phase=live]').waitFor();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context?.close();
    await this.server.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { violations } from './architecture/import-table.ts';
import { importsOf, readImports, readTexts, readWorkspaces } from './architecture/read-sources.ts';
import { domainWords } from './house/domain-words.ts';
import { measureProse, proseOf } from './house/prose.ts';
import { MAX_FILE_LINES, MAX_FUNCTION_LINES, oversizes } from './house/sizes.ts';

const workspaces = readWorkspaces(repositoryRoot);
const texts = readTexts(repositoryRoot);

/** Oblique pronouns per 1,000 comment words: see `npm run prose -- --help`. */
const MAX_OBLIQUE = 4;

describe('the architecture', () => {
  const sources = readImports(texts);
  const product = texts.filter(({ path }) => /^(packages|gateway)\//.test(path));

  it('is read from all workspaces', () => {
    expect(workspaces.get('@tidegate/core')).toBe('packages/core');
    const reading = (folder: string) =>
      sources.filter((file) => file.path.startsWith(`${folder}/`) && file.imports.length > 0);
    for (const folder of ['packages', 'gateway', 'contracts', 'services', 'bffs', 'deployments', 'scripts']) {
      expect(reading(folder).length, folder).toBeGreaterThan(3);
    }
  });

  it('has imports that go one way, and vendors in the file named after them', () => {
    expect(violations(sources, workspaces)).toEqual([]);
  });

  it(`has no file over ${MAX_FILE_LINES} lines and no function over ${MAX_FUNCTION_LINES}`, () => {
    expect(texts.flatMap(({ path, text }) => oversizes(path, text))).toEqual([]);
  });

  it('has no word of the order platform in the product', () => {
    expect(product.flatMap(({ path, text }) => domainWords(path, text))).toEqual([]);
  });

  it.each(['gateway', 'packages'])('has comments in %s that name their subject', (folder) => {
    const lines = product
      .filter(({ path }) => path.startsWith(`${folder}/`))
      .flatMap(({ path, text }) => proseOf(path, text));
    const { words, perThousand } = measureProse(folder, lines);
    expect(words).toBeGreaterThan(1_000);
    expect(perThousand).toBeLessThanOrEqual(MAX_OBLIQUE);
  });
});

describe('the import table', () => {
  const check = (path: string, specifier: string) => violations([{ path, imports: [specifier] }], workspaces);

  it.each([
    ['gateway/src/server.ts', '@order-platform/bff-web'],
    ['gateway/src/server.test.ts', '@order-platform/bff-web'],
    ['gateway/src/server.test.ts', '@order-platform/contracts'],
    ['packages/messaging/src/relay.ts', '@order-platform/contracts'],
    ['gateway/src/server.ts', '@order-platform/service-orders'],
    ['bffs/web/src/schema.ts', '@tidegate/gateway'],
    ['bffs/web/src/schema.ts', '@order-platform/bff-mobile'],
    ['services/orders/src/place.ts', '@order-platform/service-inventory'],
    ['services/orders/src/place.ts', '../../inventory/src/stock.ts'],
    ['services/orders/src/place.ts', '../../../packages/core/src/operation.ts'],
    ['packages/messaging/src/relay.ts', '@order-platform/service-orders'],
    ['packages/messaging/src/relay.ts', '@tidegate/gateway'],
    ['packages/live-client/src/client.ts', '@tidegate/core'],
    ['microfrontends/shell/src/main-view.ts', '@order-platform/contracts'],
    ['microfrontends/shell/src/shell.ts', '@order-platform/mfe-orders'],
    ['microfrontends/shell/src/shell.ts', '../../build/micro-frontend.ts'],
    ['gateway/src/rate-limit.ts', 'ioredis'],
    ['packages/database/src/pool.ts', 'pg'],
    ['packages/event-log/src/tail.ts', 'kafkajs'],
    ['packages/event-log/src/kafka.ts', '@platformatic/kafka'],
    ['packages/event-log/src/store.ts', 'node:sqlite'],
    ['gateway/src/gateway.ts', 'pg/lib/client.js'],
  ])('refuses %s → %s', (path, specifier) => expect(check(path, specifier)).toHaveLength(1));

  it.each([
    ['gateway/src/server.ts', '@tidegate/event-log'],
    ['gateway/src/server.ts', './live/hub.ts'],
    ['deployments/gateway.ts', '@order-platform/bff-web'],
    ['deployments/embedded.ts', '@order-platform/service-orders'],
    ['bffs/web/src/schema.ts', '@order-platform/bff-shared'],
    ['bffs/web/src/schema.ts', '@order-platform/contracts'],
    ['services/orders/src/place.ts', '@tidegate/event-store'],
    ['packages/messaging/src/relay.ts', '@tidegate/event-log'],
    ['microfrontends/shell/src/shell.ts', '@tidegate/live-client'],
    ['microfrontends/shell/src/shell.ts', 'preact'],
    ['microfrontends/shell/vite.config.ts', '../build/micro-frontend.ts'],
    ['packages/live-client/src/close-codes.test.ts', '@tidegate/core'],
    ['packages/shared-state/src/redis.ts', 'ioredis'],
    ['packages/event-log/src/kafka.int.test.ts', 'kafkajs'],
    ['e2e/order/order.test.ts', '@order-platform/service-orders'],
  ])('allows %s → %s', (path, specifier) => expect(check(path, specifier)).toEqual([]));

  it('reads every form of import', () => {
    const source = `
      import one from 'a'; import type { Two } from 'b'; import 'c';
      export { three } from 'd'; export * from 'e'; export type { Four } from 'f';
      const later = await import('g');
      // import no from 'comment'
      const text = "import no from 'string'";`;
    expect(importsOf('x.ts', source).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('throws on a file that does not parse', () => {
    expect(() => importsOf('x.ts', 'import {')).toThrow('x.ts does not parse');
  });
});

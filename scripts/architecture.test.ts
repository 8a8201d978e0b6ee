import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { violations } from './architecture/import-table.ts';
import { importsOf, readSources, readWorkspaces } from './architecture/read-sources.ts';

const workspaces = readWorkspaces(repositoryRoot);

describe('the architecture', () => {
  const sources = readSources(repositoryRoot);

  it('was read: all workspaces, and imports in each', () => {
    expect(workspaces.get('@tidegate/core')).toBe('packages/core');
    const reading = (folder: string) =>
      sources.filter((file) => file.path.startsWith(`${folder}/`) && file.imports.length > 0);
    for (const folder of ['packages', 'gateway', 'contracts', 'services', 'bffs', 'deployments', 'scripts']) {
      expect(reading(folder).length, folder).toBeGreaterThan(3);
    }
  });

  it('holds: imports go one way, vendors stay in the file named after them', () => {
    expect(violations(sources, workspaces)).toEqual([]);
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

  it('is asked about every way to import', () => {
    const source = `
      import one from 'a'; import type { Two } from 'b'; import 'c';
      export { three } from 'd'; export * from 'e'; export type { Four } from 'f';
      const later = await import('g');
      // import no from 'comment'
      const text = "import no from 'string'";`;
    expect(importsOf('x.ts', source).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('does not take a file for clean that it cannot read', () => {
    expect(() => importsOf('x.ts', 'import {')).toThrow('x.ts does not parse');
  });
});

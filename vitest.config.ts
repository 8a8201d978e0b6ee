import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * What Node itself resolves: with Vite's own conditions our files would get another build of `graphql` than the
 * libraries they hand its objects to, and `instanceof` would fail between the two.
 */
const graphql = fileURLToPath(new URL('./node_modules/graphql/index.mjs', import.meta.url));
const asNode = { resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] } };

const exclude = ['**/node_modules/**', '**/dist/**'];

/** End-to-end tests that mostly wait, each on a platform of its own: they share no backend with other tests. */
const waiting = ['e2e/{connection-life,outages}/**/*.test.ts', 'e2e/bad-input/websocket-abuse.test.ts'];

/**
 * Two rounds in one run. First the tests next to what they test together with the end-to-end tests that mostly wait,
 * three files at a time. Then the other end-to-end tests, one file at a time: they share the backends and need the
 * machine for themselves.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      {
        ...asNode,
        test: {
          name: 'e2e that waits',
          include: waiting,
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'parts',
          include: [
            '{packages,services,gateway,bffs,contracts,microfrontends,deployments,scripts,bench}/**/*.test.ts',
          ],
          exclude,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...exclude, ...waiting],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

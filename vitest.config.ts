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

/** End-to-end tests that keep one core busy, each on an embedded platform or log of its own. */
const embedded = [
  'e2e/exactness/{exactness,found-scripts,mutants,processes}.test.ts',
  'e2e/{identity,no-n-plus-one,restart,rights}/**/*.test.ts',
  'e2e/choreography/choreography.test.ts',
  'e2e/protocol-clients/{audits,protocol-clients}.test.ts',
];

/**
 * Three rounds in one run. First the tests next to what they test together with the end-to-end tests that mostly wait,
 * three files at a time. Then the end-to-end tests on an embedded platform, two at a time. Then the others, one at a
 * time: they share the backends, or need the machine for themselves.
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
          name: 'e2e embedded',
          include: embedded,
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...exclude, ...waiting, ...embedded],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

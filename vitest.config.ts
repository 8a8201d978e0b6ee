import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * What Node itself resolves: with Vite's own conditions our files would get another build of `graphql` than the
 * libraries they hand its objects to, and `instanceof` would fail between the two.
 */
const graphql = fileURLToPath(new URL('./node_modules/graphql/index.mjs', import.meta.url));
const asNode = { resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] } };

const exclude = ['**/node_modules/**', '**/dist/**'];

/** End-to-end tests on platforms and logs of their own: they share no backend with other tests. */
const apart = [
  'e2e/{connection-life,identity,metrics,no-n-plus-one,outages,restart,rights}/**/*.test.ts',
  'e2e/bad-input/websocket-abuse.test.ts',
  'e2e/choreography/choreography.test.ts',
  'e2e/exactness/{exactness,found-scripts,mutants,processes}.test.ts',
  'e2e/protocol-clients/{audits,protocol-clients}.test.ts',
];

/** Long tests on the real stack, a run of their own: `npm run test:production`. */
const production = 'e2e/production/**/*.test.ts';

/**
 * Two rounds in one run. First the unit tests and the end-to-end tests apart, two files at a time. Then
 * the other end-to-end tests, one at a time: they share the backends, or need the machine for themselves.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        ...asNode,
        test: {
          name: 'e2e apart',
          include: apart,
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
          exclude: [...exclude, ...apart, production],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'production',
          include: [production],
          exclude,
          testTimeout: 600_000,
          hookTimeout: 200_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * What Node itself resolves: with Vite's own conditions our files would get another build of `graphql` than the
 * libraries they hand its objects to, and `instanceof` would fail between the two.
 */
const graphql = fileURLToPath(new URL('./node_modules/graphql/index.mjs', import.meta.url));
const asNode = { resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] } };

const exclude = ['**/node_modules/**', '**/dist/**'];

/**
 * Two projects in one run: the tests that lie beside what they test, two files at a time; then `e2e/`, one file at a
 * time, because each of those starts a whole platform and the machine has to be its own.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
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
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * What Node itself resolves: with Vite's own conditions our files would get another build of `graphql` than the
 * libraries they hand its objects to, and `instanceof` would fail between the two.
 */
const graphql = fileURLToPath(new URL('./node_modules/graphql/index.mjs', import.meta.url));
const asNode = { resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] } };

const exclude = ['**/node_modules/**', '**/dist/**'];

/** They have logs and ports of their own and wait more than they work: they run beside the parts. */
const exactness = ['exactness', 'processes', 'kafka.int'].map((name) => `e2e/exactness/${name}.test.ts`);

/**
 * One run: the tests that lie beside what they test, and the long property tests, two files at a time; then the rest
 * of `e2e/`, one file at a time, because each of those starts a whole platform and the machine has to be its own.
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
          include: ['{packages,services,gateway,bffs,microfrontends,embedded,scripts,bench}/**/*.test.ts'],
          exclude,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'exactness',
          include: exactness,
          exclude,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...asNode,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...exclude, ...exactness],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

/** Service process that `run-service.test.ts` runs, under the name in TEST_NAME. */
import { text } from '@tidegate/runtime/config';
import { runService } from './run-service.ts';

const name = process.env['TEST_NAME'] ?? 'test-service';

runService({
  name,
  config: { TEST_GREETING: text('the greeting in every answer') },
  create: ({ database, partitions }, { TEST_GREETING }) => ({
    name,
    handle: async () => Response.json({ greeting: TEST_GREETING, partitions, dialect: database.dialect }),
    start: () => database.migrate({}),
    stop: async () => {},
  }),
});

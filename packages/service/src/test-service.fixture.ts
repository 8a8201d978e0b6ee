/** What `run-service.test.ts` runs as a process of its own, under the name that it is given. */
import { text } from '@tidegate/runtime/config';
import { runService } from './run-service.ts';

const name = process.env['TEST_NAME'] ?? 'test-service';

runService({
  name,
  config: { TEST_GREETING: text('what it answers') },
  create: ({ database, partitions }, { TEST_GREETING }) => ({
    name,
    handle: async () => Response.json({ greeting: TEST_GREETING, partitions, dialect: database.dialect }),
    start: () => database.migrate({}),
    stop: async () => {},
  }),
});

import { silentLogger } from '@tidegate/runtime/telemetry';
import { createSqliteEventLog } from '../sqlite.ts';

// Owns the partitions of a group and never finishes a batch, until the test kills it.
const log = createSqliteEventLog({ path: process.env['LOG_PATH'] as string, logger: silentLogger });
await log.consume({
  group: 'group',
  topics: [process.env['TOPIC'] as string],
  handler: () => {
    console.log('handling');
    return new Promise(() => undefined);
  },
});
setInterval(() => undefined, 60_000);

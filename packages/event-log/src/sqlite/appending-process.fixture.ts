import { silentLogger } from '@tidegate/runtime/telemetry';
import { createSqliteEventLog } from '../sqlite.ts';

// Appends without pause and prints the number of each acknowledged record, one a line, until the test kills it.
const log = createSqliteEventLog({ path: process.env['LOG_PATH'] as string, logger: silentLogger });
const topic = process.env['TOPIC'] as string;
for (let i = 0; ; i += 5) {
  await log.append(
    topic,
    Array.from({ length: 5 }, (_, k) => ({ key: `k${k}`, value: Buffer.from(String(i + k)), headers: {} })),
  );
  console.log(`acknowledged ${i + 4}`);
}

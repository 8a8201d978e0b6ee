import { silentLogger } from '@tidegate/runtime/telemetry';
import { createSqliteEventLog } from '../sqlite.ts';

// Appends as fast as it can and says, one number a line, what was acknowledged; the test kills it.
const log = createSqliteEventLog({ path: process.env['LOG_PATH'] as string, logger: silentLogger });
const topic = process.env['TOPIC'] as string;
for (let i = 0; ; i += 5) {
  await log.append(
    topic,
    Array.from({ length: 5 }, (_, k) => ({ key: `k${k}`, value: Buffer.from(String(i + k)), headers: {} })),
  );
  console.log(`acknowledged ${i + 4}`);
}

import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { silentLogger } from '@tidegate/telemetry';
import { temporaryDirectory } from '@tidegate/testing';
import { describeEventLog } from './conformance.ts';
import { createSqliteEventLog } from './sqlite.ts';

describeEventLog('SQLite', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'log', 'events.db');
  return {
    open: async () => createSqliteEventLog({ path, logger: silentLogger, heartbeatMs: 50 }),
    async deleteBefore(topic, partition, offset) {
      const database = new DatabaseSync(path);
      const id = `(SELECT id FROM topics WHERE name = '${topic}')`;
      const where = `topic_id = ${id} AND partition = ${partition}`;
      database.exec(`DELETE FROM records WHERE ${where} AND "offset" < ${offset}`);
      database.exec(`UPDATE partitions SET start_offset = ${offset} WHERE ${where}`);
      database.close();
    },
    dispose: () => directory.remove(),
  };
});

import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { SampleTables } from '../conformance/subject.ts';
import { readPendingRows } from '../relay/pending-rows.ts';

/** A faulty relay that deletes rows before it publishes them, so that the crash test can fail. */
export function startWrongOrderRelay(database: Database<SampleTables>, log: EventLog): void {
  void (async () => {
    for (;;) {
      const rows = await readPendingRows(database, { index: 0, count: 1 }, { limit: 500, withoutTopics: [] });
      const ids = rows.map((row) => row.id);
      if (ids.length > 0) await database.query.deleteFrom('outbox').where('id', 'in', ids).execute();
      for (const [topic, own] of Map.groupBy(rows, (row) => row.topic)) {
        await log.append(
          topic,
          own.map(({ key, value, headers }) => ({ key, value: Buffer.from(value), headers })),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
}

import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { raiseCounter, oneTo, sampleMigrations, type SampleTables } from '../conformance/subject.ts';
import { createOutbox } from '../outbox/outbox.ts';
import { startRelay } from '../relay/relay.ts';
import { startWrongOrderRelay } from './wrong-order-relay.fixture.ts';

/** Eight writers that change ten aggregates in a loop, and a relay, until the process is killed. */
const { DATABASE_PATH, DATABASE_URL, SCHEMA, LOG_PATH, ORDER } = process.env;
const database = DATABASE_URL
  ? createPostgresDatabase<SampleTables>({ url: DATABASE_URL, schema: SCHEMA! })
  : createSqliteDatabase<SampleTables>({ path: DATABASE_PATH! });
await database.migrate(sampleMigrations);
const log = createSqliteEventLog({ path: LOG_PATH!, logger: silentLogger });
const outbox = createOutbox({ database });

if (ORDER === 'mark-then-publish') startWrongOrderRelay(database, log);
else await startRelay({ database, log, outbox, logger: silentLogger, name: 'crash', lockRetryMs: 10 });

let commits = 0;
await Promise.all(
  oneTo(8).map(async (writer) => {
    for (let n = writer; ; n++) {
      await database.transaction((unit) => raiseCounter(unit, outbox, `counter-${n % 10}`));
      if (++commits % 50 === 0) process.stdout.write(`committed ${commits}\n`);
      // Commits on a file are synchronous: without this pause the relay would never run.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }),
);

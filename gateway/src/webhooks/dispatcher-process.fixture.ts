/** Runs a dispatcher in a process of its own, for tests that kill it. */
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { createCounterBff, fixtureKeys } from './counter-bff.fixture.ts';
import { createDispatcher } from './dispatcher.ts';
import type { WebhookTables } from './tables.ts';

await createDispatcher({
  database: createSqliteDatabase<WebhookTables>({ path: process.env['DATABASE_PATH']! }),
  log: createSqliteEventLog({
    path: process.env['LOG_PATH']!,
    logger: silentLogger,
    heartbeatMs: 50,
    sessionTimeoutMs: 300,
  }),
  secretKeys: fixtureKeys,
  bffs: [createCounterBff()],
  logger: silentLogger,
  metrics: createMetrics({ nodeMetrics: false }),
  allowPrivateTargets: true,
  limits: { leaseMs: 500, pollMs: 20 },
}).start();

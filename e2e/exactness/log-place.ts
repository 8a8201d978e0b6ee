import type { EventLog } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';

/** Location of the log that the processes of a run share. */
export type LogPlace = { readonly path: string } | { readonly brokers: readonly string[] };

export function openLog(place: LogPlace): EventLog {
  const logger = silentLogger;
  return 'path' in place
    ? createSqliteEventLog({ path: place.path, logger, pollMs: 2 })
    : createKafkaEventLog({
        brokers: [...place.brokers],
        clientId: 'exactness',
        logger,
      });
}

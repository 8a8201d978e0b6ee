import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { parseConfig } from '@tidegate/runtime/config';
import { createLogger } from '@tidegate/runtime/telemetry';

/**
 * Opens the log that the environment names: Kafka by KAFKA_BROKERS, else the embedded one in DATA_DIR.
 *
 * @throws TidegateError CONFIG_INVALID for a wrong variable, or a DATA_DIR without a log.
 */
export function openLog(): EventLog {
  process.env['LOG_LEVEL'] ??= 'error';
  const logger = createLogger('dead-letters');
  if (process.env['KAFKA_BROKERS']) {
    const options = kafkaOptionsFrom(parseConfig(kafkaSettings));
    return createKafkaEventLog({ clientId: 'dead-letters', logger, ...options });
  }
  const path = join(process.env['DATA_DIR'] || '.data', 'event-log.sqlite');
  if (existsSync(path)) return createSqliteEventLog({ path, logger });
  throw new TidegateError('CONFIG_INVALID', `there is no ${path}; set KAFKA_BROKERS, or DATA_DIR`);
}

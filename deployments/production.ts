import { DatabaseClock } from '@tidegate/database';
import { createPostgresDatabase, postgresOptionsFrom, postgresSettings } from '@tidegate/database/postgres';
import { measureEventLog } from '@tidegate/event-log';
import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings } from '@tidegate/event-log/kafka';
import type { WebhookTables } from '@tidegate/gateway';
import { url } from '@tidegate/runtime/config';
import type { ProcessConfig } from '@tidegate/runtime/process';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';
import { CallerKeys, serviceSecrets } from '@tidegate/service';
import { createServiceClient } from '@tidegate/service/operations';
import { createRedisSharedState, redisOptionsFrom, redisSettings } from '@tidegate/shared-state/redis';

/** Environment variables of a process at the edge, a gateway or a dispatcher. */
export const backendSettings = {
  ...kafkaSettings,
  ...postgresSettings,
  ...redisSettings,
  ORDERS_URL: url(['http', 'https'], 'where orders is served'),
  ORDER_VIEW_URL: url(['http', 'https'], 'where order-view is served'),
  CATALOG_VIEW_URL: url(['http', 'https'], 'where catalog-view is served'),
  ...serviceSecrets,
};

/** The production adapters of a process at the edge. They connect when they are first used. */
export function createBackends(
  config: ProcessConfig<typeof backendSettings>,
  parts: { readonly clientId: string; readonly logger: Logger; readonly metrics: Metrics },
) {
  const { clientId, logger, metrics } = parts;
  const kafka = createKafkaEventLog({ clientId, logger, ...kafkaOptionsFrom(config) });
  const database = createPostgresDatabase<WebhookTables>({
    ...postgresOptionsFrom(config),
    schema: 'webhooks',
    logger,
    metrics,
  });
  const clock = new DatabaseClock(database);
  return {
    database,
    clock,
    log: measureEventLog(kafka, metrics),
    state: createRedisSharedState({ ...redisOptionsFrom(config), keyPrefix: 'tidegate:', logger, metrics }),
    services: createServiceClient({
      callerKeys: new CallerKeys(config.SERVICE_SECRETS.split(','), clock.now),
      services: {
        orders: config.ORDERS_URL,
        'order-view': config.ORDER_VIEW_URL,
        'catalog-view': config.CATALOG_VIEW_URL,
      },
      logger,
      metrics,
    }),
  };
}

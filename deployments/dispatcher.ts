/** One webhook dispatcher, on Kafka and Postgres. Run as many as needed: they share the work. */
import { webBff } from '@order-platform/bff-web';
import { flag, hostPorts, port, url } from '@tidegate/runtime/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/runtime/process';
import { createServiceClient } from '@tidegate/service/operations';
import { createRedisSharedState } from '@tidegate/shared-state/redis';
import { BffServer, createDispatcher, type WebhookTables } from '@tidegate/gateway';

const PING_MS = 3_000;
/** Bodies come over the gateway's REST interface only; this process reads none. */
const MAX_BODY_BYTES = 256 * 1024;

runProcess({
  name: 'dispatcher',
  config: {
    PORT: port().default(4002),
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    REDIS_URL: url(['redis', 'rediss'], 'the Redis for shared state'),
    ORDERS_URL: url(['http', 'https'], 'where orders is served'),
    ORDER_VIEW_URL: url(['http', 'https'], 'where order-view is served'),
    CATALOG_VIEW_URL: url(['http', 'https'], 'where catalog-view is served'),
    WEBHOOK_ALLOW_PRIVATE: flag('whether webhooks may go to private addresses: for development only').default(
      false,
    ),
  },
  async start(config, host) {
    const { logger, metrics } = host;
    const database = createPostgresDatabase<WebhookTables>({
      url: config.DATABASE_URL,
      schema: 'webhooks',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'dispatcher', logger });
    host.add({ name: 'kafka', stop: () => log.close() });
    const state = createRedisSharedState({ url: config.REDIS_URL, keyPrefix: 'tidegate:' });
    host.add({ name: 'redis', stop: () => state.close() });
    for (const [name, ping] of [
      ['postgres', () => database.ping(PING_MS)],
      ['kafka', () => log.ping(PING_MS)],
      ['redis', () => state.ping(PING_MS)],
    ] as const) {
      await host.dependency(name, ping, ping);
    }

    const client = createServiceClient({
      services: {
        orders: config.ORDERS_URL,
        'order-view': config.ORDER_VIEW_URL,
        'catalog-view': config.CATALOG_VIEW_URL,
      },
      logger,
    });
    const server = new BffServer({
      bff: webBff,
      client,
      state,
      logger,
      maxBodyBytes: MAX_BODY_BYTES,
      trustedOnly: true,
    });
    const dispatcher = createDispatcher({
      database,
      log,
      servers: [server],
      logger,
      metrics,
      allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE,
    });
    host.add({ name: 'dispatcher', stop: () => dispatcher.stop() });
    // The topics are the services' to create; until they have, there is nothing to consume.
    await host.dependency('document topics', () => dispatcher.start());
  },
});

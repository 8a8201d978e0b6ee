import { hostPorts, integer, url } from '@tidegate/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/process';
import { createCatalogViewService } from './catalog-view-service.ts';
import type { CatalogViewTables } from './tables.ts';

const PING_MS = 3_000;

runProcess({
  name: 'catalog-view',
  config: {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(6),
  },
  async start(config, host) {
    const { logger } = host;
    const database = createPostgresDatabase<CatalogViewTables>({
      url: config.DATABASE_URL,
      schema: 'catalog-view',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'catalog-view', logger });
    host.add({ name: 'kafka', stop: () => log.close() });
    await host.dependency(
      'postgres',
      () => database.ping(PING_MS),
      () => database.ping(PING_MS),
    );
    await host.dependency(
      'kafka',
      () => log.ping(PING_MS),
      () => log.ping(PING_MS),
    );

    const service = createCatalogViewService({
      database,
      log,
      logger,
      partitions: config.TOPIC_PARTITIONS,
    });
    host.add(service);
    await service.start();
    return { handle: service.handle };
  },
});

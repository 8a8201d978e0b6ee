import { hostPorts, integer, url } from '@tidegate/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/process';
import { createOrderViewService } from './order-view-service.ts';
import type { OrderViewTables } from './tables.ts';

const PING_MS = 3_000;

runProcess({
  name: 'order-view',
  config: {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(6),
  },
  async start(config, host) {
    const { logger } = host;
    const database = createPostgresDatabase<OrderViewTables>({
      url: config.DATABASE_URL,
      schema: 'order-view',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'order-view', logger });
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

    const service = createOrderViewService({
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

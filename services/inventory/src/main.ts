import { flag, hostPorts, integer, url } from '@tidegate/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/process';
import { createInventoryService } from './inventory-service.ts';
import type { InventoryTables } from './tables.ts';

const PING_MS = 3_000;

runProcess({
  name: 'inventory',
  config: {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(6),
    DEMO: flag('whether stock is filled up when it runs low').default(false),
  },
  async start(config, host) {
    const { logger } = host;
    const database = createPostgresDatabase<InventoryTables>({
      url: config.DATABASE_URL,
      schema: 'inventory',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'inventory', logger });
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

    const service = createInventoryService({
      database,
      log,
      logger,
      partitions: config.TOPIC_PARTITIONS,
      ...(config.DEMO ? { restock: { belowQuantity: 20, toQuantity: 200 } } : {}),
    });
    host.add(service);
    await service.start();
    return { handle: service.handle };
  },
});

import { hostPorts, integer, url } from '@tidegate/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/process';
import { createShippingService } from './shipping-service.ts';
import type { ShippingTables } from './tables.ts';

const PING_MS = 3_000;

const DAY_MS = 24 * 60 * 60 * 1000;

runProcess({
  name: 'shipping',
  config: {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(6),
    SHIPPING_DISPATCH_MS: integer(0, DAY_MS, 'milliseconds from confirmed to dispatched').default(800),
    SHIPPING_DELIVERY_MS: integer(0, DAY_MS, 'milliseconds from dispatched to delivered').default(2_000),
  },
  async start(config, host) {
    const { logger } = host;
    const database = createPostgresDatabase<ShippingTables>({
      url: config.DATABASE_URL,
      schema: 'shipping',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'shipping', logger });
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

    const service = createShippingService({
      database,
      log,
      logger,
      partitions: config.TOPIC_PARTITIONS,
      prepareMs: config.SHIPPING_DISPATCH_MS,
      deliverMs: config.SHIPPING_DELIVERY_MS,
    });
    host.add(service);
    await service.start();
    return { handle: service.handle };
  },
});

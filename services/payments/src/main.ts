import { hostPorts, integer, url } from '@tidegate/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess } from '@tidegate/process';
import { createPaymentsService } from './payments-service.ts';
import type { PaymentsTables } from './tables.ts';

const PING_MS = 3_000;

runProcess({
  name: 'payments',
  config: {
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(6),
    PAYMENT_PROVIDER_URL: url(['http', 'https'], 'where the payment provider is served'),
  },
  async start(config, host) {
    const { logger } = host;
    const database = createPostgresDatabase<PaymentsTables>({
      url: config.DATABASE_URL,
      schema: 'payments',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: 'payments', logger });
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

    const service = createPaymentsService({
      database,
      log,
      logger,
      partitions: config.TOPIC_PARTITIONS,
      provider: config.PAYMENT_PROVIDER_URL,
    });
    host.add(service);
    await service.start();
    return { handle: service.handle };
  },
});

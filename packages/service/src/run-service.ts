import { integer } from '@tidegate/runtime/config';
import { DatabaseClock } from '@tidegate/database';
import { createPostgresDatabase, postgresOptionsFrom, postgresSettings } from '@tidegate/database/postgres';
import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings } from '@tidegate/event-log/kafka';
import { measureEventLog } from '@tidegate/event-log';
import { runProcess, type ProcessConfig } from '@tidegate/runtime/process';
import type { z } from 'zod';
import { CallerKeys } from './callers/caller-keys.ts';
import { requireSignedCalls } from './callers/require-signed-calls.ts';
import { serviceSecrets } from './callers/service-secrets.ts';
import { defaultPartitions, type Service, type ServiceDependencies } from './service.ts';

export interface ServiceProcessOptions<Name extends string, Shape extends z.ZodRawShape> {
  /** Name of the process, of its Postgres schema and of its Kafka client. */
  readonly name: Name;
  /** Variables that this service reads beside those of every service. */
  readonly config?: Shape;
  readonly create: (dependencies: ServiceDependencies, config: ProcessConfig<Shape>) => Service<Name>;
}

const backends = {
  ...kafkaSettings,
  ...postgresSettings,
  ...serviceSecrets,
  TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic that is created').default(defaultPartitions),
};

/**
 * Runs a service as a process of its own, on Kafka and Postgres: waits for both, starts the service and serves it to
 * callers that sign with one of SERVICE_SECRETS. The
 * service stops before Kafka and Postgres are closed. See `runProcess` for signals and exit codes.
 *
 * @example
 * runService({ name: 'bookings', create: createBookingsService });
 */
export function runService<Name extends string, Shape extends z.ZodRawShape>(
  options: ServiceProcessOptions<Name, Shape>,
): void {
  const { name, config: own, create } = options;
  runProcess({
    name,
    config: { ...backends, ...(own as Shape) },
    async start(config, host) {
      const { logger, metrics } = host;
      const backend = config as ProcessConfig<typeof backends>;
      const { TOPIC_PARTITIONS, SERVICE_SECRETS } = backend;
      const database = createPostgresDatabase({
        ...postgresOptionsFrom(backend),
        schema: name,
        logger,
        metrics,
      });
      const kafka = createKafkaEventLog({ clientId: name, logger, ...kafkaOptionsFrom(backend) });
      const log = measureEventLog(kafka, metrics);
      await host.connect({ postgres: database, kafka: log });
      const databaseClock = new DatabaseClock(database);
      await host.dependency('clock', () => databaseClock.start());
      host.add({ name: 'clock', stop: async () => databaseClock.stop() });
      const clock = databaseClock.now;
      const callerKeys = new CallerKeys(SERVICE_SECRETS.split(','), clock);
      const parts = { database, log, logger, metrics, clock };
      const dependencies = { ...parts, partitions: TOPIC_PARTITIONS, callerKeys };
      const service = create(dependencies, config as ProcessConfig<Shape>);
      host.add(service);
      await service.start();
      return { handle: requireSignedCalls(name, service.handle, callerKeys) };
    },
  });
}

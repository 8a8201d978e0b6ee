import { hostPorts, integer, url } from '@tidegate/runtime/config';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { runProcess, type ProcessConfig, type ProcessHost } from '@tidegate/runtime/process';
import type { z } from 'zod';
import { defaultPartitions, type Service, type ServiceDependencies } from './service.ts';

export interface ServiceProcessOptions<Name extends string, Shape extends z.ZodRawShape> {
  /** Of the process, of its Postgres schema and towards Kafka. */
  readonly name: Name;
  /** The variables it reads besides those of every service. */
  readonly config?: Shape;
  readonly create: (dependencies: ServiceDependencies, config: ProcessConfig<Shape>) => Service<Name>;
}

const backends = {
  KAFKA_BROKERS: hostPorts('the Kafka brokers'),
  DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
  TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, the same in every process').default(
    defaultPartitions,
  ),
};

const PING_MS = 3_000;

/**
 * A service as a process of its own, on Kafka and Postgres: waits for both, starts the service and serves it. On the
 * way out the service stops first, then Kafka and Postgres are closed. See `runProcess` for signals and exit codes.
 */
export function runService<Name extends string, Shape extends z.ZodRawShape>(
  options: ServiceProcessOptions<Name, Shape>,
): void {
  const { name, config: own, create } = options;
  runProcess({
    name,
    config: { ...backends, ...(own as Shape) },
    async start(config, host) {
      const dependencies = await connect(name, config as ProcessConfig<typeof backends>, host);
      const service = create(dependencies, config as ProcessConfig<Shape>);
      host.add(service);
      await service.start();
      return { handle: service.handle };
    },
  });
}

async function connect(
  name: string,
  config: ProcessConfig<typeof backends>,
  host: ProcessHost,
): Promise<ServiceDependencies> {
  const { logger } = host;
  const database = createPostgresDatabase({ url: config.DATABASE_URL, schema: name, logger });
  host.add({ name: 'postgres', stop: () => database.close() });
  const log = createKafkaEventLog({ brokers: config.KAFKA_BROKERS, clientId: name, logger });
  host.add({ name: 'kafka', stop: () => log.close() });
  for (const [backend, port] of Object.entries({ postgres: database, kafka: log })) {
    const ping = (): Promise<void> => port.ping(PING_MS);
    await host.dependency(backend, ping, ping);
  }
  return { database, log, logger, partitions: config.TOPIC_PARTITIONS };
}

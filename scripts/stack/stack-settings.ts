import { resolve } from 'node:path';
import { integer, parseConfig, text } from '@tidegate/runtime/config';
import { defaultPorts, type StackOptions } from './stack.ts';

/** Described again after the default, which would hide what is expected. */
function tcpPort(meaning: string, usual: number) {
  const port = integer(1, 65_535, `the TCP port of ${meaning}`);
  return port.default(usual).describe(port.description ?? meaning);
}

/**
 * The developer's own stack, as STACK_* and DATA_DIR say.
 *
 * @throws TidegateError CONFIG_INVALID naming the variable.
 */
export function stackSettings(env: Record<string, string | undefined> = process.env): StackOptions {
  const given = parseConfig(
    {
      STACK_KAFKA_PORT: tcpPort('Kafka', defaultPorts.kafka),
      STACK_KAFKA_CONTROLLER_PORT: tcpPort("Kafka's controller", defaultPorts.kafkaController),
      STACK_REDIS_PORT: tcpPort('Redis', defaultPorts.redis),
      STACK_POSTGRES_PORT: tcpPort('Postgres', defaultPorts.postgres),
      STACK_DIR: text("the folder for the stack's data").default('.stack'),
      DATA_DIR: text('the folder for data of Tidegate itself').default('.data'),
    },
    env,
  );
  return {
    ports: {
      kafka: given.STACK_KAFKA_PORT,
      kafkaController: given.STACK_KAFKA_CONTROLLER_PORT,
      redis: given.STACK_REDIS_PORT,
      postgres: given.STACK_POSTGRES_PORT,
    },
    directory: resolve(given.STACK_DIR),
    secretsDirectory: resolve(given.DATA_DIR),
  };
}

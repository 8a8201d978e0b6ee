import { resolve } from 'node:path';
import { integer, oneOf, parseConfig, text } from '@tidegate/runtime/config';
import { defaultPorts, type StackOptions } from './stack.ts';

/** Repeats the description after `default`, which would hide the expected value from the error message. */
function tcpPort(meaning: string, usual: number) {
  const port = integer(1, 65_535, `the TCP port of ${meaning}`);
  return port.default(usual).describe(port.description ?? meaning);
}

/**
 * Returns the settings of the developer's stack from STACK_* and DATA_DIR.
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
      STACK_KAFKA_SECURITY: oneOf(['none', 'sasl_ssl'], 'the security of the broker').default('none'),
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
    secureKafka: given.STACK_KAFKA_SECURITY === 'sasl_ssl',
    directory: resolve(given.STACK_DIR),
    secretsDirectory: resolve(given.DATA_DIR),
  };
}

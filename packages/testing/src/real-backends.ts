/**
 * The real backends that `npm test` offers, from the environment. Undefined means "not there": a test skips aloud
 * with `describe.skipIf(kafkaBrokersFromEnv() === undefined)`; under REQUIRE_STACK=1 a missing one throws instead.
 */
export function kafkaBrokersFromEnv(): string[] | undefined {
  return fromEnv('KAFKA_BROKERS')?.split(',');
}

/** The folder with Apache Kafka's jars, for tests that start brokers of their own (leader moves, restarts). */
export function kafkaLibsFromEnv(): string | undefined {
  return fromEnv('KAFKA_LIBS');
}

export function postgresUrlFromEnv(): string | undefined {
  return fromEnv('DATABASE_URL');
}

export function redisUrlFromEnv(): string | undefined {
  return fromEnv('REDIS_URL');
}

export function chromiumPathFromEnv(): string | undefined {
  return fromEnv('CHROMIUM_PATH');
}

function fromEnv(name: string): string | undefined {
  const value = process.env[name];
  if (value) return value;
  if (process.env['REQUIRE_STACK'] === '1') throw new Error(`REQUIRE_STACK=1 and ${name} is not set`);
  return undefined;
}

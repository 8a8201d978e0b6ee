/**
 * Addresses of the real backends that `npm test` provides, from the environment. Each function returns undefined
 * without its variable, so that tests can skip. With `REQUIRE_STACK=1` it throws instead.
 *
 * @example
 * const url = postgresUrlFromEnv();
 * describe.skipIf(url === undefined)('on Postgres', () => {});
 */

/** Returns the Kafka brokers of `KAFKA_BROKERS` as `host:port`. @throws Error when the variable is missing and REQUIRE_STACK=1. */
export function kafkaBrokersFromEnv(): string[] | undefined {
  return fromEnv('KAFKA_BROKERS')?.split(',');
}

/**
 * Returns the folder with the jars of Apache Kafka, for tests that start their own brokers, from `KAFKA_LIBS`.
 *
 * @throws Error when the variable is missing and REQUIRE_STACK=1.
 */
export function kafkaLibsFromEnv(): string | undefined {
  return fromEnv('KAFKA_LIBS');
}

/** Returns the URL of Postgres from `DATABASE_URL`. @throws Error when the variable is missing and REQUIRE_STACK=1. */
export function postgresUrlFromEnv(): string | undefined {
  return fromEnv('DATABASE_URL');
}

/** Returns the URL of Redis from `REDIS_URL`. @throws Error when the variable is missing and REQUIRE_STACK=1. */
export function redisUrlFromEnv(): string | undefined {
  return fromEnv('REDIS_URL');
}

/** Returns the path of Chromium from `CHROMIUM_PATH`. @throws Error when the variable is missing and REQUIRE_STACK=1. */
export function chromiumPathFromEnv(): string | undefined {
  return fromEnv('CHROMIUM_PATH');
}

function fromEnv(name: string): string | undefined {
  const value = process.env[name];
  if (value) return value;
  if (process.env['REQUIRE_STACK'] === '1') throw new Error(`REQUIRE_STACK=1 and ${name} is not set`);
  return undefined;
}

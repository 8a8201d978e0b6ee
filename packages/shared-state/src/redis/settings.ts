import { TidegateError } from '@tidegate/core';
import { hostPorts, readPem, text, url } from '@tidegate/runtime/config';
import type { z } from 'zod';

/** Environment variables of a process's Redis. See `redisOptionsFrom`. */
export const redisSettings = {
  REDIS_URL: url(['redis', 'rediss'], 'the Redis for shared state'),
  REDIS_CA_FILE: text("the PEM file of the authorities that sign Redis's certificate").optional(),
  REDIS_SENTINELS: hostPorts('the Sentinels that name the primary').optional(),
  REDIS_SENTINEL_NAME: text('the name of the primary at the Sentinels').default('mymaster'),
  REDIS_SENTINEL_PASSWORD: text('the password of the Sentinels').optional(),
};

/** Values of `redisSettings`. */
export type RedisSettings = z.infer<z.ZodObject<typeof redisSettings>>;

/** Sentinels that know the address of the primary. */
export interface RedisSentinels {
  /** `host:port` of each. */
  readonly addresses: readonly string[];
  /** Name of the primary in their configuration. */
  readonly name: string;
  readonly password: string | undefined;
}

/** The part of `RedisSharedStateOptions` that environment variables set. */
export interface RedisEnvironmentOptions {
  readonly url: string;
  readonly ca: string | undefined;
  readonly sentinels: RedisSentinels | undefined;
}

/**
 * Returns the options that the variables set.
 *
 * @throws TidegateError CONFIG_INVALID when `REDIS_CA_FILE` cannot be read, is not in PEM, or is set for a URL without TLS.
 */
export function redisOptionsFrom(config: RedisSettings): RedisEnvironmentOptions {
  const { REDIS_URL, REDIS_CA_FILE, REDIS_SENTINELS } = config;
  if (REDIS_CA_FILE !== undefined && !REDIS_URL.startsWith('rediss:'))
    throw new TidegateError('CONFIG_INVALID', 'REDIS_CA_FILE needs a REDIS_URL that begins with rediss:');
  return {
    url: REDIS_URL,
    ca: readPem('REDIS_CA_FILE', REDIS_CA_FILE),
    sentinels: REDIS_SENTINELS && {
      addresses: REDIS_SENTINELS,
      name: config.REDIS_SENTINEL_NAME,
      password: config.REDIS_SENTINEL_PASSWORD,
    },
  };
}

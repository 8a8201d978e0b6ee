import { TidegateError } from '@tidegate/core';
import { delay, withDeadline } from '@tidegate/runtime/resilience';
import { silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { Redis, ReplyError } from 'ioredis';
import { notANumber, requireTtl } from './refusals.ts';
import type { SharedState } from './shared-state.ts';

export interface RedisSharedStateOptions {
  /** `redis://[:password@]host:port[/db]`, `rediss://` for TLS. */
  readonly url: string;
  /** Put before every key, e.g. `tidegate:gateway:`, so that one Redis can serve many. */
  readonly keyPrefix: string;
  /** A command that is not answered by then rejects. Default 1 s: these are values one can go on without. */
  readonly commandTimeoutMs?: number;
  readonly logger?: Logger;
}

interface Commands extends Redis {
  incrementInWindow(key: string, ttlMs: number): Promise<number>;
}

/** Makes the window with its first increment; as one script, so that no crash leaves a counter without an end. */
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`;

/**
 * Shared state in Redis, by one connection. It begins to connect at once and reconnects for ever, at most 2 s apart;
 * while it is away nothing is queued: each call rejects at once with UNAVAILABLE, and works again as soon as the
 * connection does. A command that was under way when the connection broke is not sent again, for it may have taken
 * effect.
 */
export function createRedisSharedState(options: RedisSharedStateOptions): SharedState {
  const { url, keyPrefix, commandTimeoutMs = 1_000, logger = silentLogger } = options;
  const redis = new Redis(url, {
    keyPrefix,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 2_000),
    scripts: { incrementInWindow: { lua: INCREMENT, numberOfKeys: 1 } },
  }) as Commands;
  followConnection(redis, logger);

  async function ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      throw translate(error);
    }
  }

  return {
    get: (key) => ask(async () => (await redis.get(key)) ?? undefined),
    async set(key, value, ttlMs) {
      requireTtl(ttlMs);
      await ask(() => redis.set(key, value, 'PX', ttlMs));
    },
    async increment(key, ttlMs) {
      requireTtl(ttlMs);
      return ask(() => redis.incrementInWindow(key, ttlMs));
    },
    async setIfAbsent(key, value, ttlMs) {
      requireTtl(ttlMs);
      return (await ask(() => redis.set(key, value, 'PX', ttlMs, 'NX'))) === 'OK';
    },
    async delete(key) {
      await ask(() => redis.del(key));
    },
    ping: (timeoutMs) => ask(() => ping(redis, timeoutMs)),
    async close() {
      redis.disconnect();
    },
  };
}

/** Waits for a connection in the making, which `enableOfflineQueue: false` would not. */
function ping(redis: Redis, timeoutMs: number): Promise<void> {
  return withDeadline(timeoutMs, undefined, async (signal) => {
    while (redis.status !== 'ready' && redis.status !== 'end') await delay(10, signal);
    await redis.ping();
  });
}

/** One line when it goes, one when it comes back. Without an `error` listener an outage would end the process. */
function followConnection(redis: Redis, logger: Logger): void {
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) logger.warn({ err: error }, 'Redis cannot be reached; connecting again until it can');
    away = true;
  });
  redis.on('close', () => {
    if (!away && redis.status !== 'end')
      logger.warn({}, 'the connection to Redis was lost; connecting again');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({}, 'Redis can be reached again');
    away = false;
  });
}

function translate(error: unknown): TidegateError {
  if (error instanceof ReplyError && /not an integer|WRONGTYPE/.test((error as Error).message)) {
    return notANumber(error);
  }
  return new TidegateError('UNAVAILABLE', 'The shared state (Redis) cannot be reached.', { cause: error });
}

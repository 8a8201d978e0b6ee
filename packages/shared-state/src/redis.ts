import { TidegateError } from '@tidegate/core';
import { delay, withDeadline } from '@tidegate/runtime/resilience';
import { silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { Redis, ReplyError } from 'ioredis';
import { notANumber, requireTtl } from './errors.ts';
import type { SharedState } from './shared-state.ts';

export interface RedisSharedStateOptions {
  /** `redis://[:password@]host:port[/db]`, `rediss://` for TLS. */
  readonly url: string;
  /** Prefix of every key, e.g. `tidegate:gateway:`, so that several systems can share one Redis. */
  readonly keyPrefix: string;
  /** Time in milliseconds after which an unanswered command rejects. Default 1 s. */
  readonly commandTimeoutMs?: number;
  /** Default: no log. */
  readonly logger?: Logger;
}

interface Commands extends Redis {
  incrementInWindow(key: string, ttlMs: number): Promise<number>;
}

/** Sets the lifetime with the first increment. One script, so that no crash leaves a counter that never expires. */
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`;

/**
 * Creates shared state in Redis, over one connection. It connects at once and reconnects for ever, with at most 2 s
 * between attempts.
 *
 * Commands are not queued during an outage: each call rejects at once with UNAVAILABLE until the connection is back.
 * A command in flight is not repeated when the connection breaks, because it may have taken effect.
 *
 * @example
 * const state = createRedisSharedState({ url: 'redis://127.0.0.1:6379', keyPrefix: 'tidegate:' });
 * await state.ping(5_000);
 */
export function createRedisSharedState(options: RedisSharedStateOptions): SharedState {
  return new RedisSharedState(options);
}

class RedisSharedState implements SharedState {
  readonly #redis: Commands;

  constructor({ url, keyPrefix, commandTimeoutMs = 1_000, logger = silentLogger }: RedisSharedStateOptions) {
    this.#redis = new Redis(url, {
      keyPrefix,
      commandTimeout: commandTimeoutMs,
      connectTimeout: 2_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 2_000),
      scripts: { incrementInWindow: { lua: INCREMENT, numberOfKeys: 1 } },
    }) as Commands;
    logConnection(this.#redis, logger);
  }

  get(key: string): Promise<string | undefined> {
    return translateErrors(async () => (await this.#redis.get(key)) ?? undefined);
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    requireTtl(ttlMs);
    await translateErrors(() => this.#redis.set(key, value, 'PX', ttlMs));
  }

  async increment(key: string, ttlMs: number): Promise<number> {
    requireTtl(ttlMs);
    return translateErrors(() => this.#redis.incrementInWindow(key, ttlMs));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    requireTtl(ttlMs);
    return (await translateErrors(() => this.#redis.set(key, value, 'PX', ttlMs, 'NX'))) === 'OK';
  }

  async delete(key: string): Promise<void> {
    await translateErrors(() => this.#redis.del(key));
  }

  /** Polls for the connection first: with `enableOfflineQueue: false` a PING before it would be rejected. */
  ping(timeoutMs: number): Promise<void> {
    return translateErrors(() =>
      withDeadline(timeoutMs, undefined, async (signal) => {
        while (this.#redis.status !== 'ready' && this.#redis.status !== 'end') await delay(10, signal);
        await this.#redis.ping();
      }),
    );
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }
}

/** Logs one line per outage and one per recovery. Without an `error` listener an outage would end the process. */
function logConnection(redis: Redis, logger: Logger): void {
  let isDown = false;
  redis.on('error', (error: Error) => {
    if (!isDown) logger.warn({ err: error }, 'Redis cannot be reached; reconnecting until it can');
    isDown = true;
  });
  redis.on('close', () => {
    if (!isDown && redis.status !== 'end') logger.warn({}, 'the connection to Redis was lost; reconnecting');
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) logger.info({}, 'Redis can be reached again');
    isDown = false;
  });
}

async function translateErrors<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof ReplyError && /not an integer|WRONGTYPE/.test((error as Error).message)) {
      throw notANumber(error);
    }
    throw new TidegateError('UNAVAILABLE', 'The shared state (Redis) cannot be reached.', { cause: error });
  }
}

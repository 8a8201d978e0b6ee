import { TidegateError } from '@tidegate/core';
import { createBreaker, delay, withDeadline, type Breaker } from '@tidegate/runtime/resilience';
import { silentLogger, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import { Redis, ReplyError } from 'ioredis';
import { notANumber, requireCost, requireTtl } from './errors.ts';
import type { RedisSentinels } from './redis/settings.ts';
import type { SharedState, TokenBucket, TokenGrant } from './shared-state.ts';
import { encodeGrant } from './token-bucket.ts';

export interface RedisSharedStateOptions {
  /** `redis://[:password@]host:port[/db]`, `rediss://` for TLS. With `sentinels` its host and port do not count. */
  readonly url: string;
  /** PEM of the authorities that sign the server's certificate. Default: Node's own. */
  readonly ca?: string | undefined;
  /** Sentinels that are asked for the primary at each connect. Default: none. */
  readonly sentinels?: RedisSentinels | undefined;
  /** Prefix of every key, e.g. `tidegate:gateway:`, so that several systems can share one Redis. */
  readonly keyPrefix: string;
  /** Time in milliseconds after which an unanswered command rejects. Default 1 s. */
  readonly commandTimeoutMs?: number;
  /** Default: no log. */
  readonly logger?: Logger;
  /** Shows the state of the breaker. Default: not shown. */
  readonly metrics?: Metrics;
}

export {
  redisOptionsFrom,
  redisSettings,
  type RedisSentinels,
  type RedisSettings,
} from './redis/settings.ts';

interface Commands extends Redis {
  incrementInWindow(key: string, ttlMs: number): Promise<number>;
  compareAndSet(
    key: string,
    isExpected: '0' | '1',
    expected: string,
    value: string,
    ttlMs: number,
  ): Promise<0 | 1>;
  takeTokens(...args: (string | number)[]): Promise<[retryAfterMs: string, ...fullInMs: string[]]>;
}

/** Sets the lifetime with the first increment. One script, so that no crash leaves a counter that never expires. */
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`;

const COMPARE_AND_SET = `
local present = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then
  if present then return 0 end
elseif present ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1`;

/**
 * The rule of `decideTokens`, with the time of the server: the replicas' clocks differ. Numbers are returned as texts,
 * because Redis cuts the fraction of a number off.
 */
const TAKE_TOKENS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local cost = tonumber(ARGV[1])
local retry = 0
local full = {}
for i, key in ipairs(KEYS) do
  local capacity, refill = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  full[i] = math.max(0, tonumber(redis.call('GET', key) or now) - now)
  local missing = full[i] + math.min(cost, capacity) * refill / capacity - refill
  if missing > 0.01 and missing > retry then retry = missing end
end
local answer = { string.format('%.6f', retry) }
for i, key in ipairs(KEYS) do
  if retry == 0 then
    full[i] = full[i] + cost * tonumber(ARGV[2 * i + 1]) / tonumber(ARGV[2 * i])
    local ttl = math.ceil(full[i])
    if ttl >= 1 then redis.call('SET', key, string.format('%.6f', now + full[i]), 'PX', ttl) end
  end
  answer[i + 1] = string.format('%.6f', full[i])
end
return answer`;

/** A Redis that is connected and silent holds few callers up: all but one trial at a time are rejected at once. */
const BREAKER = { name: 'The shared state', label: 'redis', openMs: 1_000, window: 4, minimumCalls: 2 };

/** Buckets have names of their own. */
const BUCKET_PREFIX = 'bucket:';

/**
 * Creates shared state in Redis, over one connection. It connects at once and reconnects for ever, with at most 2 s
 * between attempts.
 *
 * Commands are not queued during an outage: each call rejects at once with UNAVAILABLE until the connection is back.
 * A command in flight is not repeated when the connection breaks, because it may have taken effect. After two failed
 * commands, calls are rejected for a second at a time without asking Redis.
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
  readonly #breaker: Breaker;

  constructor(options: RedisSharedStateOptions) {
    const { url, ca, sentinels, keyPrefix, commandTimeoutMs = 1_000, logger = silentLogger } = options;
    this.#breaker = createBreaker({ ...BREAKER, metrics: options.metrics });
    this.#redis = new Redis(url, {
      ...(ca !== undefined && { tls: { ca } }),
      ...(sentinels && sentinelOptions(sentinels)),
      // A primary that became a replica keeps its connections. A new one is to the present primary.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      keyPrefix,
      commandTimeout: commandTimeoutMs,
      connectTimeout: 2_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: reconnectDelayMs,
      scripts: {
        incrementInWindow: { lua: INCREMENT, numberOfKeys: 1 },
        compareAndSet: { lua: COMPARE_AND_SET, numberOfKeys: 1 },
        // Called with the number of keys in front.
        takeTokens: { lua: TAKE_TOKENS },
      },
    }) as Commands;
    logConnection(this.#redis, logger);
  }

  get(key: string): Promise<string | undefined> {
    return this.#run(async () => (await this.#redis.get(key)) ?? undefined);
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    requireTtl(ttlMs);
    await this.#run(() => this.#redis.set(key, value, 'PX', ttlMs));
  }

  async increment(key: string, ttlMs: number): Promise<number> {
    requireTtl(ttlMs);
    return this.#run(() => this.#redis.incrementInWindow(key, ttlMs));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    requireTtl(ttlMs);
    return (await this.#run(() => this.#redis.set(key, value, 'PX', ttlMs, 'NX'))) === 'OK';
  }

  async compareAndSet(
    key: string,
    expected: string | undefined,
    value: string,
    ttlMs: number,
  ): Promise<boolean> {
    requireTtl(ttlMs);
    const isExpected = expected === undefined ? '0' : '1';
    return (
      (await this.#run(() => this.#redis.compareAndSet(key, isExpected, expected ?? '', value, ttlMs))) === 1
    );
  }

  async takeTokens(buckets: readonly TokenBucket[], cost: number): Promise<TokenGrant> {
    requireCost(cost);
    const keys = buckets.map(({ key }) => `${BUCKET_PREFIX}${key}`);
    const rates = buckets.flatMap(({ capacity, refillMs }) => [capacity, refillMs]);
    const [retryAfterMs, ...fullInMs] = await this.#run(() =>
      this.#redis.takeTokens(keys.length, ...keys, cost, ...rates),
    );
    return encodeGrant(buckets, Number(retryAfterMs), fullInMs.map(Number));
  }

  async delete(key: string): Promise<void> {
    await this.#run(() => this.#redis.del(key));
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

  #run<T>(command: () => Promise<T>): Promise<T> {
    return this.#breaker.run(() => translateErrors(command));
  }
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), 2_000);
}

function sentinelOptions({ addresses, name, password }: RedisSentinels) {
  return {
    name,
    sentinels: addresses.map((address) => {
      const [host, port] = address.split(':');
      return { host: host!, port: Number(port) };
    }),
    ...(password !== undefined && { sentinelPassword: password }),
    // Without it `rediss:` would not count for the servers that the Sentinels name.
    enableTLSForSentinelMode: true,
    sentinelRetryStrategy: reconnectDelayMs,
    failoverDetector: true,
  };
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
    throw new TidegateError('UNAVAILABLE', 'The shared state cannot be reached.', { cause: error });
  }
}

import { randomUUID } from 'node:crypto';
import { redisUrlFromEnv } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { describeSharedState } from './conformance.ts';
import { createRedisSharedState } from './redis.ts';

const url = redisUrlFromEnv();

describe.skipIf(url === undefined)('on a real Redis (REDIS_URL)', () => {
  const create = () => createRedisSharedState({ url: url ?? '', keyPrefix: `test-${randomUUID()}:` });
  describeSharedState('Redis', create);

  it('separates keys with different prefixes', async () => {
    const [one, two] = [create(), create()];
    await Promise.all([one.ping(5_000), two.ping(5_000)]);
    await one.set('key', 'one', 5_000);
    expect(await two.get('key')).toBeUndefined();
    await Promise.all([one.close(), two.close()]);
  });

  it('shares keys with the same prefix', async () => {
    const options = { url: url ?? '', keyPrefix: `test-${randomUUID()}:` };
    const [one, two] = [createRedisSharedState(options), createRedisSharedState(options)];
    await Promise.all([one.ping(5_000), two.ping(5_000)]);
    expect(await Promise.all([one.increment('key', 5_000), two.increment('key', 5_000)])).toEqual(
      expect.arrayContaining([1, 2]),
    );
    await Promise.all([one.close(), two.close()]);
  });
});

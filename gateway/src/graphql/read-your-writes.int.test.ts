import { randomUUID } from 'node:crypto';
import { decodeConsistencyToken } from '@tidegate/core';
import { createMemorySharedState, type SharedState } from '@tidegate/shared-state';
import { createRedisSharedState } from '@tidegate/shared-state/redis';
import { redisUrlFromEnv } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLastWriteStore } from './read-your-writes.ts';

const url = redisUrlFromEnv();

function describeLastWrites(name: string, create: () => SharedState): void {
  describe(`the last writes of a viewer, ${name}`, () => {
    let state: SharedState;
    beforeAll(async () => {
      state = create();
      await state.ping(5_000);
    });
    afterAll(() => state.close());

    const store = (id: string) => createLastWriteStore(state, { role: 'member', id })!;

    it('hold every one of 40 concurrent writes', async () => {
      const id = randomUUID();
      const tokens = Array.from({ length: 40 }, (_, at) => `counter/c${at}@${at + 1}`);
      await Promise.all(tokens.map((token) => store(id).add(token)));
      expect((await store(id).read())!.split('+').toSorted()).toEqual(tokens.toSorted());
    });

    it('hold the highest version of a key, in whatever order the writes come', async () => {
      const id = randomUUID();
      await Promise.all([3, 9, 5].map((version) => store(id).add(`counter/a@${version}`)));
      expect(decodeConsistencyToken((await store(id).read())!)).toEqual([
        { kind: 'counter', key: 'a', version: 9 },
      ]);
    });

    it('are those of one viewer', async () => {
      const [one, two] = [randomUUID(), randomUUID()];
      await store(one).add('counter/a@1');
      expect(await store(two).read()).toBeUndefined();
    });
  });
}

describeLastWrites('in memory', () => createMemorySharedState({ maxEntries: 1_000 }));
describe.skipIf(url === undefined)('on a real Redis (REDIS_URL)', () => {
  describeLastWrites('in Redis', () =>
    createRedisSharedState({ url: url ?? '', keyPrefix: `test-${randomUUID()}:` }),
  );
});

import { deferred, override, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import {
  allRecords,
  createFixture,
  oneTo,
  raiseCounter,
  versionsByKey,
  type CreateSubject,
} from './subject.ts';
import { startTestRelay, topic } from './test-relay.ts';

/** The order per key. With `concurrentTransactions`, ids and commits can come in another sequence. */
export function describeOutboxOrder(create: CreateSubject, concurrentTransactions: boolean): void {
  describe('order per key', () => {
    it('publishes each event once and in order per key under eight concurrent writers', async () => {
      await using fixture = await createFixture(create, 2);
      const { database, log, outbox } = fixture;
      const relay = await startTestRelay(fixture);
      const keys = oneTo(5).map((n) => `counter-${n}`);
      const perWriter = 50;
      await Promise.all(
        oneTo(8).map(async (writer) => {
          for (let n = 0; n < perWriter; n++) {
            await database.transaction((unit) =>
              raiseCounter(unit, outbox, keys[(writer + n) % keys.length]!),
            );
          }
        }),
      );
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect([...versions.keys()].toSorted()).toEqual(keys);
      for (const [key, own] of versions) expect(own, key).toEqual(oneTo((8 * perWriter) / keys.length));
      await relay.stop();
    });

    it.runIf(concurrentTransactions)(
      'publishes a row that commits after rows with higher ids were published',
      async () => {
        await using fixture = await createFixture(create);
        const { database, log, outbox } = fixture;
        const relay = await startTestRelay(fixture);
        const added = deferred();
        const finish = deferred();
        const late = database.transaction(async (unit) => {
          await raiseCounter(unit, outbox, 'late');
          added.resolve();
          await finish.promise;
        });
        await added.promise;
        await database.transaction((unit) => raiseCounter(unit, outbox, 'early'));
        await until(async () => (await allRecords(log, topic)).length === 1, {
          what: 'the early one is published',
        });
        finish.resolve();
        await late;
        await relay.drained();
        expect([...versionsByKey(await allRecords(log, topic)).keys()].toSorted()).toEqual(['early', 'late']);
        await relay.stop();
      },
    );

    it('publishes a row during an append of another row, unless both have the same key', async () => {
      await using fixture = await createFixture(create);
      const { database, outbox } = fixture;
      const started = deferred();
      const release = deferred();
      let appends = 0;
      const log = override(fixture.log, {
        async append(to, records) {
          if (++appends === 1) {
            started.resolve();
            await release.promise;
          }
          return fixture.log.append(to, records);
        },
      });
      const relay = await startTestRelay(fixture, { log });
      await database.transaction((unit) => raiseCounter(unit, outbox, 'slow'));
      await started.promise;
      await database.transaction((unit) => raiseCounter(unit, outbox, 'slow'));
      await database.transaction((unit) => raiseCounter(unit, outbox, 'other'));
      await until(async () => (await allRecords(log, topic)).length === 1, { what: 'the other key passes' });
      expect([...versionsByKey(await allRecords(log, topic)).keys()]).toEqual(['other']);
      release.resolve();
      await relay.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('slow')).toEqual([1, 2]);
      await relay.stop();
    });
  });
}

import { sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic } from '@tidegate/core';
import { deferred, override, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import {
  allRecords,
  counterRaised,
  createFixture,
  oneTo,
  raiseCounter,
  versionsByKey,
  type CreateSubject,
} from './subject.ts';
import { startTestRelay, topic, unavailable } from './test-relay.ts';

export function describeRelayFailures(create: CreateSubject): void {
  describe('failures', () => {
    it('retries rows in order while the log is unavailable, and blocks no other topic', async () => {
      await using fixture = await createFixture(create);
      const { database, outbox } = fixture;
      let away = true;
      const log = override(fixture.log, {
        append: (to, records) => (away && to === topic ? unavailable() : fixture.log.append(to, records)),
      });
      const relay = await startTestRelay(fixture, { log });
      for (let n = 0; n < 3; n++) await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await database.transaction((unit) =>
        outbox.add(unit, sampleTopics.alarmEvents, [counterRaised('a', 1)]),
      );
      await until(async () => (await allRecords(log, sampleTopics.alarmEvents.name)).length === 1, {
        what: 'the other topic is published',
      });
      expect(await relay.pending()).toBe(3);
      away = false;
      await relay.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1, 2, 3]);
      await relay.stop();
    });

    it('publishes no duplicate when a failed append had reached the log', async () => {
      await using fixture = await createFixture(create);
      const { database, outbox } = fixture;
      let failures = 1;
      const log = override(fixture.log, {
        async append(to, records) {
          const positions = await fixture.log.append(to, records);
          return failures-- > 0 ? unavailable() : positions;
        },
      });
      const relay = await startTestRelay(fixture, { log });
      for (const key of ['a', 'b', 'a'])
        await database.transaction((unit) => raiseCounter(unit, outbox, key));
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect(versions.get('a')).toEqual([1, 2]);
      expect(versions.get('b')).toEqual([1]);
      await relay.stop();
    });

    it('writes a record that the log rejects permanently to the dead letters, keeps its row, and continues', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      const huge = { ...counterRaised('a', 2), data: { counterId: 'a', note: 'x'.repeat(1_100_000) } };
      await database.transaction((unit) =>
        outbox.add(unit, sampleTopics.counterEvents, [
          counterRaised('a', 1),
          huge,
          counterRaised('a', 3),
          counterRaised('b', 1),
        ]),
      );
      const relay = await startTestRelay(fixture);
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect(versions.get('a')).toEqual([1, 3]);
      expect(versions.get('b')).toEqual([1]);
      const [letter] = await allRecords(log, deadLetterTopic.name);
      expect(letter).toMatchObject({
        key: 'a',
        headers: { dl_topic: topic, dl_group: 'outbox/test', ce_id: 'counters/a@2' },
      });
      expect(letter?.headers['dl_reason']).toBeTruthy();
      const rows = await database.query.selectFrom('outbox').select(['key', 'refused']).execute();
      expect(rows).toEqual([{ key: 'a', refused: letter?.headers['dl_reason'] }]);
      await relay.stop();
    });

    it('after a crash finds published rows in the log, among other records, and publishes only the others', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      for (const key of ['a', 'b', 'a', 'c'])
        await database.transaction((unit) => raiseCounter(unit, outbox, key));
      const rows = await database.query.selectFrom('outbox').selectAll().orderBy('id').execute();
      const asRecord = (row: (typeof rows)[number]) => ({
        key: row.key,
        value: Buffer.from(row.value),
        headers: JSON.parse(row.headers) as Record<string, string>,
      });
      await log.append(topic, rows.slice(0, 2).map(asRecord));
      const others = oneTo(1_200).map((n) => ({
        key: `other-${n % 9}`,
        value: Buffer.from('{}'),
        headers: {},
      }));
      await log.append(topic, others);
      const relay = await startTestRelay(fixture);
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect(['a', 'b', 'c'].map((key) => versions.get(key))).toEqual([[1, 2], [1], [1]]);
      await relay.stop();
    });

    it('stops while the log is unavailable, and loses nothing', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      const failing = deferred();
      const relay = await startTestRelay(fixture, {
        log: override(log, { append: () => (failing.resolve(), unavailable()) }),
      });
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await failing.promise;
      await relay.stop();
      await relay.stop();
      await expect(relay.drained()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const next = await startTestRelay(fixture);
      await next.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1]);
      await next.stop();
    });
  });
}

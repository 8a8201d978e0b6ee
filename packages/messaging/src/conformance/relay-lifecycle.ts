import { override, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '../outbox/outbox.ts';
import { allRecords, createFixture, raiseCounter, versionsByKey, type CreateSubject } from './subject.ts';
import { startTestRelay, topic, unavailable } from './test-relay.ts';

export function describeRelayLifecycle(create: CreateSubject): void {
  describe('lifecycle', () => {
    it('publishes committed events and no rolled-back ones, and deletes the rows', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      const relay = await startTestRelay(fixture);
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      const failing = database.transaction(async (unit) => {
        await raiseCounter(unit, outbox, 'a');
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await relay.drained();
      const records = await allRecords(log, topic);
      expect(versionsByKey(records)).toEqual(new Map([['a', [1, 2]]]));
      expect(records[0]).toMatchObject({
        key: 'a',
        headers: { ce_id: 'counters/a@1', ce_source: '/tidegate/counters' },
      });
      expect(JSON.parse(String(records[0]?.value))).toEqual({ counterId: 'a' });
      expect(await database.query.selectFrom('outbox').selectAll().execute()).toEqual([]);
      await relay.stop();
    });

    it('publishes rows that exist when it starts, without a wake-up', async () => {
      await using fixture = await createFixture(create);
      for (const key of ['a', 'b', 'a']) {
        await fixture.database.transaction((unit) => raiseCounter(unit, fixture.outbox, key));
      }
      const relay = await startTestRelay(fixture);
      await relay.drained();
      const versions = versionsByKey(await allRecords(fixture.log, topic));
      expect(versions.get('a')).toEqual([1, 2]);
      expect(versions.get('b')).toEqual([1]);
      await relay.stop();
    });

    it('publishes in one process at a time: a standby takes over when the first stops', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox, subject } = fixture;
      const first = await startTestRelay(fixture);
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await first.drained();
      const otherLog = override(log, { append: unavailable });
      const otherDatabase = subject.openDatabase();
      const second = await startTestRelay(
        { ...fixture, database: otherDatabase, outbox: createOutbox({ database: otherDatabase }) },
        { log: otherLog, lockRetryMs: 10 },
      );
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await first.drained();
      await second.stop();
      const third = await startTestRelay({ ...fixture, database: otherDatabase }, { lockRetryMs: 10 });
      await first.stop();
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      // Committed elsewhere: in SQLite it is the look after taking the lock, or the poll, that finds it.
      await until(async () => (await allRecords(log, topic)).length >= 3, { what: 'the third takes over' });
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1, 2, 3]);
      await third.stop();
    });
  });
}

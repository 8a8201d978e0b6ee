import { sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic, TidegateError } from '@tidegate/core';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { deferred, override, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '../outbox.ts';
import { startRelay, type RelayOptions } from '../relay.ts';
import {
  allRecords,
  change,
  confirmed,
  oneTo,
  prepared,
  versionsByKey,
  type CreateSubject,
  type Fixture,
} from './subject.ts';

const topic = sampleTopics.counterEvents.name;

/** A poll so slow that only wake-ups can be what makes a test pass. */
const NEVER_MS = 1_000_000;

function relayOf({ database, log, outbox }: Fixture, options: Partial<RelayOptions> = {}) {
  return startRelay({
    database,
    log,
    outbox,
    logger: silentLogger,
    name: 'test',
    pollMs: NEVER_MS,
    ...options,
  });
}

const unavailable = (): Promise<never> => Promise.reject(new TidegateError('UNAVAILABLE', 'the log is away'));

export interface RelayFeatures {
  /** Several transactions can be open at once, so that ids and commits come in different orders. */
  readonly concurrentTransactions: boolean;
}

export function describeRelay(name: string, create: CreateSubject, features: RelayFeatures): void {
  describe(`relay on ${name}`, () => {
    it('publishes what was committed and nothing that was rolled back, and leaves no row', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox } = fixture;
      const relay = await relayOf(fixture);
      await database.transaction((unit) => change(unit, outbox, 'a'));
      const failing = database.transaction(async (unit) => {
        await change(unit, outbox, 'a');
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      await database.transaction((unit) => change(unit, outbox, 'a'));
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

    it('loses nothing, repeats nothing and keeps the order of each key under eight concurrent writers', async () => {
      await using fixture = await prepared(create, 2);
      const { database, log, outbox } = fixture;
      const relay = await relayOf(fixture);
      const keys = oneTo(5).map((n) => `order-${n}`);
      const perWriter = 50;
      await Promise.all(
        oneTo(8).map(async (writer) => {
          for (let n = 0; n < perWriter; n++) {
            await database.transaction((unit) => change(unit, outbox, keys[(writer + n) % keys.length]!));
          }
        }),
      );
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect([...versions.keys()].toSorted()).toEqual(keys);
      for (const [key, own] of versions) expect(own, key).toEqual(oneTo((8 * perWriter) / keys.length));
      await relay.stop();
    });

    it.runIf(features.concurrentTransactions)(
      'publishes a row that commits late although rows with higher ids went before',
      async () => {
        await using fixture = await prepared(create);
        const { database, log, outbox } = fixture;
        const relay = await relayOf(fixture);
        const added = deferred();
        const finish = deferred();
        const late = database.transaction(async (unit) => {
          await change(unit, outbox, 'late');
          added.resolve();
          await finish.promise;
        });
        await added.promise;
        await database.transaction((unit) => change(unit, outbox, 'early'));
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

    it('publishes what it finds at the start, without a wake-up', async () => {
      await using fixture = await prepared(create);
      for (const key of ['a', 'b', 'a']) {
        await fixture.database.transaction((unit) => change(unit, fixture.outbox, key));
      }
      const relay = await relayOf(fixture);
      await relay.drained();
      const versions = versionsByKey(await allRecords(fixture.log, topic));
      expect(versions.get('a')).toEqual([1, 2]);
      expect(versions.get('b')).toEqual([1]);
      await relay.stop();
    });

    it('is one at a time: another process stands by, and takes over when the first stops', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox, subject } = fixture;
      const first = await relayOf(fixture);
      await database.transaction((unit) => change(unit, outbox, 'a'));
      await first.drained();
      const otherLog = override(log, { append: unavailable });
      const otherDatabase = subject.openDatabase();
      const second = await relayOf(
        { ...fixture, database: otherDatabase, outbox: createOutbox({ database: otherDatabase }) },
        { log: otherLog, lockRetryMs: 10 },
      );
      await database.transaction((unit) => change(unit, outbox, 'a'));
      await first.drained();
      await second.stop();
      const third = await relayOf({ ...fixture, database: otherDatabase }, { lockRetryMs: 10 });
      await first.stop();
      await database.transaction((unit) => change(unit, outbox, 'a'));
      // Committed elsewhere: in SQLite it is the look after taking the lock, or the poll, that finds it.
      await until(async () => (await allRecords(log, topic)).length >= 3, { what: 'the third takes over' });
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1, 2, 3]);
      await third.stop();
    });

    it('tries the same rows again, in order, when the log is away, and holds up no other topic', async () => {
      await using fixture = await prepared(create);
      const { database, outbox } = fixture;
      let away = true;
      const log = override(fixture.log, {
        append: (to, records) => (away && to === topic ? unavailable() : fixture.log.append(to, records)),
      });
      const relay = await relayOf(fixture, { log });
      for (let n = 0; n < 3; n++) await database.transaction((unit) => change(unit, outbox, 'a'));
      await database.transaction((unit) => outbox.add(unit, sampleTopics.alarmEvents, [confirmed('a', 1)]));
      await until(async () => (await allRecords(log, sampleTopics.alarmEvents.name)).length === 1, {
        what: 'the other topic is published',
      });
      expect(await relay.pending()).toBe(3);
      away = false;
      await relay.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1, 2, 3]);
      await relay.stop();
    });

    it('repeats nothing when an append failed although the log had taken it', async () => {
      await using fixture = await prepared(create);
      const { database, outbox } = fixture;
      let failures = 1;
      const log = override(fixture.log, {
        async append(to, records) {
          const positions = await fixture.log.append(to, records);
          return failures-- > 0 ? unavailable() : positions;
        },
      });
      const relay = await relayOf(fixture, { log });
      for (const key of ['a', 'b', 'a']) await database.transaction((unit) => change(unit, outbox, key));
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect(versions.get('a')).toEqual([1, 2]);
      expect(versions.get('b')).toEqual([1]);
      await relay.stop();
    });

    it('sends a row that was committed while an append is under way without waiting for it, unless the key is the same', async () => {
      await using fixture = await prepared(create);
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
      const relay = await relayOf(fixture, { log });
      await database.transaction((unit) => change(unit, outbox, 'slow'));
      await started.promise;
      await database.transaction((unit) => change(unit, outbox, 'slow'));
      await database.transaction((unit) => change(unit, outbox, 'other'));
      await until(async () => (await allRecords(log, topic)).length === 1, { what: 'the other key passes' });
      expect([...versionsByKey(await allRecords(log, topic)).keys()]).toEqual(['other']);
      release.resolve();
      await relay.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('slow')).toEqual([1, 2]);
      await relay.stop();
    });

    it('puts a record that the log refuses for good in the dead letters, keeps its row, and goes on', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox } = fixture;
      const huge = { ...confirmed('a', 2), data: { counterId: 'a', note: 'x'.repeat(1_100_000) } };
      await database.transaction((unit) =>
        outbox.add(unit, sampleTopics.counterEvents, [
          confirmed('a', 1),
          huge,
          confirmed('a', 3),
          confirmed('b', 1),
        ]),
      );
      const relay = await relayOf(fixture);
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

    it('finds in the log what was published before a crash, among other records, and publishes only the rest', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox } = fixture;
      for (const key of ['a', 'b', 'a', 'c']) await database.transaction((unit) => change(unit, outbox, key));
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
      const relay = await relayOf(fixture);
      await relay.drained();
      const versions = versionsByKey(await allRecords(log, topic));
      expect(['a', 'b', 'c'].map((key) => versions.get(key))).toEqual([[1, 2], [1], [1]]);
      await relay.stop();
    });

    it('stops while the log is away, and loses nothing by it', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox } = fixture;
      const failing = deferred();
      const relay = await relayOf(fixture, {
        log: override(log, { append: () => (failing.resolve(), unavailable()) }),
      });
      await database.transaction((unit) => change(unit, outbox, 'a'));
      await failing.promise;
      await relay.stop();
      await relay.stop();
      await expect(relay.drained()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const next = await relayOf(fixture);
      await next.drained();
      expect(versionsByKey(await allRecords(log, topic)).get('a')).toEqual([1]);
      await next.stop();
    });
  });
}

import { CounterOpened, CounterRaised, sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic, createMessage, encodeEnvelope, TidegateError } from '@tidegate/core';
import type { UnitOfWork } from '@tidegate/database';
import type { OutgoingRecord } from '@tidegate/event-log';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { startConsumer, type ConsumerOptions } from '../consumer.ts';
import { sweepInbox } from '../inbox.ts';
import { startRelay } from '../relay.ts';
import {
  allRecords,
  confirmed,
  oneTo,
  prepared,
  versionsByKey,
  type CreateSubject,
  type Fixture,
  type SampleTables,
} from './subject.ts';

const topic = sampleTopics.counterEvents.name;
const definitions = [CounterRaised] as const;

type Options = ConsumerOptions<typeof definitions>;

/** Counts in the database what it handled, so that a repeat would show. */
function counting({ database, log }: Fixture, options: Partial<Options> = {}) {
  return startConsumer({
    database,
    log,
    logger: silentLogger,
    group: 'counting',
    definitions,
    handle: (message, unit) => count(unit, message.subject),
    ...options,
  });
}

async function count(unit: UnitOfWork<SampleTables>, key: string): Promise<void> {
  await unit.tx
    .insertInto('aggregates')
    .values({ id: key, version: 1 })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((row) => ({ version: row('aggregates.version', '+', 1) })),
    )
    .execute();
}

async function counts({ database }: Fixture): Promise<Record<string, number>> {
  const rows = await database.query.selectFrom('aggregates').selectAll().execute();
  return Object.fromEntries(rows.map((row) => [row.id, row.version]));
}

function record(key: string, sequence = 1): OutgoingRecord {
  return encodeEnvelope(confirmed(key, sequence));
}

async function appended({ log }: Fixture, records: readonly OutgoingRecord[]): Promise<void> {
  await log.append(topic, records);
}

/** Every record of the topic is acknowledged. */
async function caughtUp({ log }: Fixture, group = 'counting'): Promise<void> {
  await until(
    async () => {
      const lags = await log.lag(group, topic);
      return lags.length > 0 && lags.every(({ lag }) => lag === 0);
    },
    { what: `${group} has acknowledged everything` },
  );
}

export function describeConsumer(name: string, create: CreateSubject): void {
  describe(`consumer on ${name}`, () => {
    it('handles each message once, however often it is in the log, in one batch or in several', async () => {
      await using fixture = await prepared(create);
      await appended(fixture, [record('a'), record('b'), record('a'), record('a', 2)]);
      const consumer = await counting(fixture);
      await caughtUp(fixture);
      await appended(fixture, [record('a'), record('b'), record('b', 2)]);
      await caughtUp(fixture);
      expect(await counts(fixture)).toEqual({ a: 2, b: 2 });
      await consumer.stop();
    });

    it('keeps what other groups have handled apart', async () => {
      await using fixture = await prepared(create);
      await appended(fixture, [record('a')]);
      const consumers = [await counting(fixture), await counting(fixture, { group: 'other' })];
      await caughtUp(fixture);
      await caughtUp(fixture, 'other');
      expect(await counts(fixture)).toEqual({ a: 2 });
      for (const consumer of consumers) await consumer.stop();
    });

    it('buries malformed and foreign records with their reason, skips messages of others, and goes on', async () => {
      await using fixture = await prepared(create);
      const { log } = fixture;
      const good = record('a');
      const placed = createMessage(CounterOpened, {
        id: 'counters/a@9',
        key: 'a',
        sequence: 9,
        timeMs: 0,
        data: { counterId: 'a' },
      });
      const bad: OutgoingRecord[] = [
        { key: 'a', value: Buffer.from('hello'), headers: { from: 'elsewhere' } },
        { ...good, value: Buffer.from('{"counterId":') },
        { ...good, value: Buffer.from('{"counterId":""}') },
        { ...good, value: null },
        { ...good, headers: { ...good.headers, ce_type: 'com.example.Foreign' } },
        { ...good, headers: { ...good.headers, ce_dataversion: '7' } },
      ];
      await appended(fixture, [...bad, encodeEnvelope(placed), record('a', 2)]);
      const consumer = await counting(fixture);
      await caughtUp(fixture);
      expect(await counts(fixture)).toEqual({ a: 1 });
      const letters = await allRecords(log, deadLetterTopic.name);
      expect(letters).toHaveLength(bad.length);
      for (const [index, letter] of letters.entries()) {
        expect(letter.key).toBe('a');
        expect(letter.value).toEqual(bad[index]?.value);
        expect(letter.headers).toMatchObject({
          ...bad[index]?.headers,
          dl_topic: topic,
          dl_group: 'counting',
          dl_offset: String(index),
        });
        expect(letter.headers['dl_partition']).toMatch(/^\d+$/);
        expect(letter.headers['dl_reason']).toBeTruthy();
      }
      await consumer.stop();
    });

    it('buries a record that can never be handled after its attempts, alone, and rolls its changes back', async () => {
      await using fixture = await prepared(create);
      const tries: string[] = [];
      await appended(fixture, [
        record('a'),
        record('poison'),
        ...oneTo(5).map((n) => record('poison', n + 1)),
      ]);
      await appended(fixture, [record('b')]);
      const consumer = await counting(fixture, {
        maxAttempts: 2,
        async handle(message, unit) {
          tries.push(message.id);
          await count(unit, message.subject);
          if (message.id === 'counters/poison@1') throw new TidegateError('BAD_REQUEST', 'makes no sense');
        },
      });
      await caughtUp(fixture);
      expect(await counts(fixture)).toEqual({ a: 1, b: 1, poison: 5 });
      const letters = await allRecords(fixture.log, deadLetterTopic.name);
      expect(letters.map((letter) => [letter.headers['ce_id'], letter.headers['dl_reason']])).toEqual([
        ['counters/poison@1', 'makes no sense'],
      ]);
      expect(tries.filter((id) => id === 'counters/poison@1').length).toBeGreaterThanOrEqual(2);
      await consumer.stop();
    });

    it.each([
      ['retryable', () => new TidegateError('UNAVAILABLE', 'not now')],
      ['unforeseen', () => new TypeError('a bug')],
    ])(
      'tries a record again after a %s error, in order, and buries nothing, nor twice what it had buried',
      async (_, error) => {
        await using fixture = await prepared(create);
        const handled: number[] = [];
        let failures = 4;
        await appended(fixture, [
          record('a', 1),
          { ...record('a', 2), value: Buffer.from('not JSON') },
          record('a', 3),
          record('a', 4),
        ]);
        const consumer = await counting(fixture, {
          maxAttempts: 1,
          async handle(message, unit) {
            await count(unit, message.subject);
            if (message.sequence === 3 && failures-- > 0) throw error();
            unit.afterCommit(() => handled.push(message.sequence));
          },
        });
        await caughtUp(fixture);
        expect(handled).toEqual([1, 3, 4]);
        expect(await counts(fixture)).toEqual({ a: 3 });
        expect(await allRecords(fixture.log, deadLetterTopic.name)).toHaveLength(1);
        await consumer.stop();
      },
    );

    it('commits the change, the inbox and the outbox rows together or not at all', async () => {
      await using fixture = await prepared(create);
      const { database, log, outbox } = fixture;
      const relay = await startRelay({ database, log, outbox, logger: silentLogger, name: 'test' });
      let failures = 2;
      const commands = sampleTopics.alarmEvents;
      const consumer = await startConsumer({
        database,
        log,
        logger: silentLogger,
        group: 'counting',
        definitions,
        async handle(message, unit) {
          await count(unit, message.subject);
          await outbox.add(unit, commands, [confirmed(message.subject, message.sequence)]);
          if (failures-- > 0) throw new TidegateError('UNAVAILABLE', 'after the writes');
        },
      });
      await appended(fixture, [record('a', 1), record('a', 2), record('a', 1)]);
      await caughtUp(fixture);
      await relay.drained();
      expect(await counts(fixture)).toEqual({ a: 2 });
      expect(versionsByKey(await allRecords(log, commands.name))).toEqual(new Map([['a', [1, 2]]]));
      await consumer.stop();
      await relay.stop();
    });

    it('goes on after a restart where it was, and a replay from the start under the same name changes nothing', async () => {
      await using fixture = await prepared(create);
      await appended(fixture, [record('a'), record('b')]);
      const first = await counting(fixture);
      await caughtUp(fixture);
      await first.stop();
      await appended(fixture, [record('a', 2), record('a'), record('b')]);
      const second = await counting(fixture);
      await caughtUp(fixture);
      await second.stop();
      expect(await counts(fixture)).toEqual({ a: 2, b: 1 });
    });

    it('hands every record to the handler when it keeps no inbox', async () => {
      await using fixture = await prepared(create);
      await appended(fixture, [record('a'), record('a')]);
      const consumer = await counting(fixture, { inbox: false });
      await caughtUp(fixture);
      expect(await counts(fixture)).toEqual({ a: 2 });
      expect(await fixture.database.query.selectFrom('inbox').selectAll().execute()).toEqual([]);
      await consumer.stop();
    });

    it('forgets ids that are older than the retention, and no others', async () => {
      await using fixture = await prepared(create);
      const row = (id: string, handledAt: number, consumer = 'counting') => ({
        consumer,
        source: '/s',
        id,
        handled_at: handledAt,
      });
      const old = oneTo(2_500).map((n) => row(`old-${n}`, 1_000));
      for (let from = 0; from < old.length; from += 500) {
        await fixture.database.query
          .insertInto('inbox')
          .values(old.slice(from, from + 500))
          .execute();
      }
      await fixture.database.query
        .insertInto('inbox')
        .values([row('young', 2_000), row('old', 1_000, 'another')])
        .execute();
      expect(await sweepInbox(fixture.database, 'counting', 2_000)).toBe(2_500);
      const left = await fixture.database.query.selectFrom('inbox').select('id').orderBy('id').execute();
      expect(left.map(({ id }) => id)).toEqual(['old', 'young']);
    });
  });
}

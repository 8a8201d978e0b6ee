import { CounterOpened } from '@tidegate/testing/sample-messages';
import { createMessage, deadLetterTopic, encodeEnvelope, TidegateError } from '@tidegate/core';
import type { OutgoingRecord } from '@tidegate/event-log';
import { describe, expect, it } from 'vitest';
import { allRecords, createFixture, increment, oneTo, type CreateSubject } from './subject.ts';
import { append, readCounts, recordOf, startCounting, topic, untilCaughtUp } from './test-consumer.ts';

export function describeMalformedRecords(create: CreateSubject): void {
  describe('malformed records and poison messages', () => {
    it('writes malformed and foreign records to the dead letters with their reason, skips other message types, and continues', async () => {
      await using fixture = await createFixture(create);
      const { log } = fixture;
      const good = recordOf('a');
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
      await append(fixture, [...bad, encodeEnvelope(placed), recordOf('a', 2)]);
      const consumer = await startCounting(fixture);
      await untilCaughtUp(fixture);
      expect(await readCounts(fixture)).toEqual({ a: 1 });
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

    it('writes only the poison record to the dead letters, after its attempts, and rolls back its changes', async () => {
      await using fixture = await createFixture(create);
      const attempts: string[] = [];
      await append(fixture, [
        recordOf('a'),
        recordOf('poison'),
        ...oneTo(5).map((n) => recordOf('poison', n + 1)),
      ]);
      await append(fixture, [recordOf('b')]);
      const consumer = await startCounting(fixture, {
        maxAttempts: 2,
        async handle(message, unit) {
          attempts.push(message.id);
          await increment(unit, message.subject);
          if (message.id === 'counters/poison@1') throw new TidegateError('BAD_REQUEST', 'makes no sense');
        },
      });
      await untilCaughtUp(fixture);
      expect(await readCounts(fixture)).toEqual({ a: 1, b: 1, poison: 5 });
      const letters = await allRecords(fixture.log, deadLetterTopic.name);
      expect(letters.map((letter) => [letter.headers['ce_id'], letter.headers['dl_reason']])).toEqual([
        ['counters/poison@1', 'makes no sense'],
      ]);
      expect(attempts.filter((id) => id === 'counters/poison@1').length).toBeGreaterThanOrEqual(2);
      await consumer.stop();
    });
  });
}

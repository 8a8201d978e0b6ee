import { type CounterRaised, sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic, encodeEnvelope, redrivenTopic, TidegateError } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import type { ConsumerOptions } from '../consumer/consumer.ts';
import { DeadLetterBox, type StoredDeadLetter } from '../dead-letters/dead-letter-box.ts';
import {
  allRecords,
  counterRaised,
  createFixture,
  increment,
  type CreateSubject,
  type Fixture,
} from './subject.ts';
import { append, readCounts, recordOf, startCounting, topic, untilCaughtUp } from './test-consumer.ts';
import { startTestRelay } from './test-relay.ts';

export function describeDeadLetters(create: CreateSubject): void {
  describe('dead letters', () => {
    it('name the record, its group and the reason, the open ones apart from the others', async () => {
      await using fixture = await createFixture(create);
      const box = new DeadLetterBox(fixture.log);
      await append(fixture, [{ ...recordOf('a'), value: Buffer.from('no JSON') }, recordOf('a', 2)]);
      await append(fixture, [{ ...recordOf('a', 3), value: Buffer.from('neither') }]);
      const consumer = await startCounting(fixture);
      await untilCaughtUp(fixture);
      const letters = await lettersOf(box);
      expect(letters.map(({ state, value }) => [state, value?.toString()])).toEqual([
        ['open', 'no JSON'],
        ['open', 'neither'],
      ]);
      expect(letters[0]).toMatchObject({ group: 'counting', topic, key: 'a', truncatedBytes: undefined });
      expect(letters[0]!.position).toMatch(/^\d\/0$/);
      expect(letters[0]!.reason).toContain('JSON');
      await box.discard(letters[0]!);
      expect((await lettersOf(box)).map(({ state }) => state)).toEqual(['discarded', 'open']);
      await consumer.stop();
    });

    it('are handled by their own group alone when redriven, as the record that they were, and once', async () => {
      await using fixture = await createFixture(create);
      const box = new DeadLetterBox(fixture.log);
      const handled: string[] = [];
      let isFixed = false;
      const options = (group: string) => ({
        group,
        maxAttempts: 1,
        handle: async (
          ...[message, unit, record]: Parameters<ConsumerOptions<[typeof CounterRaised]>['handle']>
        ) => {
          if (!isFixed && message.sequence === 2 && group === 'counting')
            throw new TidegateError('BAD_REQUEST', 'a bug');
          await increment(unit, `${group} ${message.subject}`);
          const { headers, offset, topic: from } = record;
          unit.afterCommit(() => handled.push(`${group} ${from} ${offset} ${Object.keys(headers).length}`));
        },
      });
      await append(fixture, [recordOf('a'), recordOf('a', 2), recordOf('a', 3)]);
      const consumers = [
        await startCounting(fixture, options('counting')),
        await startCounting(fixture, options('other')),
      ];
      await untilCaughtUp(fixture);
      await untilCaughtUp(fixture, 'other');
      expect(await readCounts(fixture)).toEqual({ 'counting a': 2, 'other a': 3 });
      const asBefore = handled[0]!.split(' ').at(-1);
      handled.length = 0;

      isFixed = true;
      const [letter] = await lettersOf(box);
      await box.redrive(letter!);
      await box.redrive(letter!);
      await untilRedrivenHandled(fixture, ['counting', 'other']);
      expect(handled).toEqual([`counting ${topic} 1 ${asBefore}`]);
      expect(await readCounts(fixture)).toEqual({ 'counting a': 3, 'other a': 3 });
      expect((await lettersOf(box)).map(({ state }) => state)).toEqual(['redriven']);
      for (const consumer of consumers) await consumer.stop();
    });

    it('come back once, as another letter, when they fail again', async () => {
      await using fixture = await createFixture(create);
      const box = new DeadLetterBox(fixture.log);
      await append(fixture, [{ ...recordOf('a'), value: Buffer.from('no JSON') }]);
      const consumer = await startCounting(fixture);
      await untilCaughtUp(fixture);
      const [letter] = await lettersOf(box);
      await box.redrive(letter!);
      await untilRedrivenHandled(fixture, ['counting']);
      const { id: _id, atMs: _atMs, state: _state, ...same } = letter!;
      expect(await lettersOf(box)).toMatchObject([
        { id: letter!.id, state: 'redriven' },
        { ...same, state: 'open' },
      ]);
      await consumer.stop();
    });

    it('of a relay are appended to their topic, and refused while they hold a part of the record only', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      const box = new DeadLetterBox(log);
      const huge = { ...counterRaised('a', 1), data: { counterId: 'a', note: 'x'.repeat(1_100_000) } };
      await database.transaction((unit) => outbox.add(unit, sampleTopics.counterEvents, [huge]));
      const relay = await startTestRelay(fixture);
      await relay.drained();
      const [letter] = await lettersOf(box);
      expect(letter).toMatchObject({ group: 'outbox/test', position: undefined });
      await expect(box.redrive(letter!)).rejects.toThrow(/holds a part of a record of 11\d{5} bytes only/);
      expect((await lettersOf(box)).map(({ state }) => state)).toEqual(['open']);

      const { value, headers } = encodeEnvelope(counterRaised('a', 2));
      const whole = { ...letter!, value, headers: { ...headers, dl_group: 'outbox/test' } };
      await box.redrive({ ...whole, truncatedBytes: undefined });
      expect(await allRecords(log, topic)).toMatchObject([{ key: 'a', value, headers }]);
      expect(await allRecords(log, deadLetterTopic.name)).toHaveLength(2);
      await relay.stop();
    });
  });
}

async function lettersOf(box: DeadLetterBox): Promise<StoredDeadLetter[]> {
  const letters: StoredDeadLetter[] = [];
  for await (const letter of box.letters()) letters.push(letter);
  return letters;
}

/** Resolves when each group has acknowledged every redriven letter. */
async function untilRedrivenHandled({ log }: Fixture, groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    await until(async () => (await log.lag(group, redrivenTopic.name)).every(({ lag }) => lag === 0), {
      what: `${group} has handled the redriven letters`,
    });
  }
}

import { sampleTopics } from '@tidegate/testing/sample-messages';
import { deadLetterTopic, TidegateError } from '@tidegate/core';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { describe, expect, it } from 'vitest';
import { startConsumer } from '../consumer/consumer.ts';
import { startRelay } from '../relay/relay.ts';
import {
  allRecords,
  counterRaised,
  createFixture,
  increment,
  versionsByKey,
  type CreateSubject,
} from './subject.ts';
import { append, definitions, readCounts, recordOf, startCounting, untilCaughtUp } from './test-consumer.ts';

export function describeConsumerRetries(create: CreateSubject): void {
  describe('retries and restarts', () => {
    it.each([
      ['retryable', () => new TidegateError('UNAVAILABLE', 'not now')],
      ['unexpected', () => new TypeError('a bug')],
    ])(
      'retries a record after a %s error, in order, and writes no second dead letter for its batch',
      async (_, error) => {
        await using fixture = await createFixture(create);
        const handled: number[] = [];
        let failures = 4;
        await append(fixture, [
          recordOf('a', 1),
          { ...recordOf('a', 2), value: Buffer.from('not JSON') },
          recordOf('a', 3),
          recordOf('a', 4),
        ]);
        const consumer = await startCounting(fixture, {
          maxAttempts: 1,
          async handle(message, unit) {
            await increment(unit, message.subject);
            if (message.sequence === 3 && failures-- > 0) throw error();
            unit.afterCommit(() => handled.push(message.sequence));
          },
        });
        await untilCaughtUp(fixture);
        expect(handled).toEqual([1, 3, 4]);
        expect(await readCounts(fixture)).toEqual({ a: 3 });
        expect(await allRecords(fixture.log, deadLetterTopic.name)).toHaveLength(1);
        await consumer.stop();
      },
    );

    it('commits changes, inbox rows and outbox rows together or not at all', async () => {
      await using fixture = await createFixture(create);
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
          await increment(unit, message.subject);
          await outbox.add(unit, commands, [counterRaised(message.subject, message.sequence)]);
          if (failures-- > 0) throw new TidegateError('UNAVAILABLE', 'after the writes');
        },
      });
      await append(fixture, [recordOf('a', 1), recordOf('a', 2), recordOf('a', 1)]);
      await untilCaughtUp(fixture);
      await relay.drained();
      expect(await readCounts(fixture)).toEqual({ a: 2 });
      expect(versionsByKey(await allRecords(log, commands.name))).toEqual(new Map([['a', [1, 2]]]));
      await consumer.stop();
      await relay.stop();
    });

    it('continues after a restart where it stopped, and a replay under the same group changes nothing', async () => {
      await using fixture = await createFixture(create);
      await append(fixture, [recordOf('a'), recordOf('b')]);
      const first = await startCounting(fixture);
      await untilCaughtUp(fixture);
      await first.stop();
      await append(fixture, [recordOf('a', 2), recordOf('a'), recordOf('b')]);
      const second = await startCounting(fixture);
      await untilCaughtUp(fixture);
      await second.stop();
      expect(await readCounts(fixture)).toEqual({ a: 2, b: 1 });
    });
  });
}

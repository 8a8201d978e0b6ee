import { TidegateError } from '@tidegate/core';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { deferred, override, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createFixture, increment, raiseCounter, type CreateSubject } from './subject.ts';
import { append, recordOf, startCounting, topic, untilCaughtUp } from './test-consumer.ts';
import { startTestRelay, unavailable } from './test-relay.ts';

export function describeConsumerMetrics(create: CreateSubject): void {
  describe('metrics', () => {
    it('of a consumer are its lag by partition, its inbox, its batches, failures and dead letters', async () => {
      await using fixture = await createFixture(create);
      const metrics = createMetrics({ nodeMetrics: false });
      const blocked = deferred();
      let failures = 2;
      await append(fixture, [
        recordOf('a'),
        { ...recordOf('a', 2), value: Buffer.from('no JSON') },
        recordOf('a', 3),
      ]);
      const consumer = await startCounting(fixture, {
        metrics,
        maxAttempts: 1,
        async handle(message, unit) {
          await blocked.promise;
          if (message.sequence === 1 && failures-- > 0) throw new TypeError('once');
          if (message.sequence === 3) throw new TidegateError('BAD_REQUEST', 'never');
          await increment(unit, message.subject);
        },
      });
      const lag = `tidegate_consumer_lag_records{group="counting",topic="${topic}",partition="\\d"}`;
      const lags = async () => valuesOf((await metrics.render()).body, lag).toSorted((a, b) => a - b);
      await until(async () => (await lags()).join() === '0,0,3', { what: 'the lag of three records' });
      blocked.resolve();
      await untilCaughtUp(fixture);
      await until(async () => (await lags()).join() === '0,0,0', { what: 'no lag' });
      const { body } = await metrics.render();
      expect(valuesOf(body, 'tidegate_consumer_records_total{group="counting"}')).toEqual([3]);
      expect(valuesOf(body, 'tidegate_consumer_failures_total{group="counting"}')).toEqual([1]);
      expect(valuesOf(body, 'tidegate_consumer_batch_seconds_count{group="counting"}')).toEqual([2]);
      const deadLetters = (reason: string) =>
        valuesOf(body, `tidegate_dead_letters_total{group="counting",reason="${reason}"}`);
      expect([deadLetters('RECORD_MALFORMED'), deadLetters('BAD_REQUEST')]).toEqual([[1], [1]]);
      expect(valuesOf(body, 'tidegate_inbox_rows{group="counting"}')).toHaveLength(1);
      await consumer.stop();
      expect(valuesOf((await metrics.render()).body, lag)).toEqual([]);
    });

    it('of a relay are depth and age of the outbox, published rows and failures', async () => {
      await using fixture = await createFixture(create);
      const { database, log, outbox } = fixture;
      const metrics = createMetrics({ nodeMetrics: false });
      await database.transaction((unit) => raiseCounter(unit, outbox, 'a'));
      await database.transaction((unit) => raiseCounter(unit, outbox, 'b'));
      let isAway = true;
      const relay = await startTestRelay(fixture, {
        metrics,
        log: override(log, {
          append: (...call: Parameters<typeof log.append>) => (isAway ? unavailable() : log.append(...call)),
        }),
      });
      const failed = 'tidegate_relay_failures_total{relay="test"}';
      await until(async () => valuesOf((await metrics.render()).body, failed)[0], { what: 'a failure' });
      const { body } = await metrics.render();
      expect(valuesOf(body, 'tidegate_outbox_rows{relay="test"}')).toEqual([2]);
      expect(valuesOf(body, 'tidegate_outbox_refused_rows{relay="test"}')).toEqual([0]);
      expect(valuesOf(body, 'tidegate_outbox_oldest_seconds{relay="test"}')[0]).toBeGreaterThan(0);
      isAway = false;
      await relay.drained();
      const after = (await metrics.render()).body;
      expect(valuesOf(after, 'tidegate_relay_published_total{relay="test"}')).toEqual([2]);
      await relay.stop();
    });
  });
}

/** Returns the values of a series. `\d` in its name stands for any number. */
function valuesOf(body: string, series: string): number[] {
  const pattern = series.replaceAll(/[{}.]/g, String.raw`\$&`);
  return Array.from(body.matchAll(new RegExp(`^${pattern} (\\S+)$`, 'gm')), ([, value]) => Number(value));
}

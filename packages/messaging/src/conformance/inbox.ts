import { describe, expect, it } from 'vitest';
import { sweepInbox } from '../consumer/inbox.ts';
import { createFixture, oneTo, type CreateSubject } from './subject.ts';
import { append, readCounts, recordOf, startCounting, untilCaughtUp } from './test-consumer.ts';

export function describeInbox(create: CreateSubject): void {
  describe('inbox', () => {
    it('handles a message once when the log holds it several times, in one batch or in several', async () => {
      await using fixture = await createFixture(create);
      await append(fixture, [recordOf('a'), recordOf('b'), recordOf('a'), recordOf('a', 2)]);
      const consumer = await startCounting(fixture);
      await untilCaughtUp(fixture);
      await append(fixture, [recordOf('a'), recordOf('b'), recordOf('b', 2)]);
      await untilCaughtUp(fixture);
      expect(await readCounts(fixture)).toEqual({ a: 2, b: 2 });
      await consumer.stop();
    });

    it('handles a message once per consumer group', async () => {
      await using fixture = await createFixture(create);
      await append(fixture, [recordOf('a')]);
      const consumers = [await startCounting(fixture), await startCounting(fixture, { group: 'other' })];
      await untilCaughtUp(fixture);
      await untilCaughtUp(fixture, 'other');
      expect(await readCounts(fixture)).toEqual({ a: 2 });
      for (const consumer of consumers) await consumer.stop();
    });

    it('passes every record to the handler when the inbox is off', async () => {
      await using fixture = await createFixture(create);
      await append(fixture, [recordOf('a'), recordOf('a')]);
      const consumer = await startCounting(fixture, { inbox: false });
      await untilCaughtUp(fixture);
      expect(await readCounts(fixture)).toEqual({ a: 2 });
      expect(await fixture.database.query.selectFrom('inbox').selectAll().execute()).toEqual([]);
      await consumer.stop();
    });

    it('deletes ids older than the retention, and no others, while the event loop turns', async () => {
      await using fixture = await createFixture(create);
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
      let turns = 0;
      const count = (): void => {
        turns += 1;
        counter = setImmediate(count);
      };
      let counter = setImmediate(count);
      expect(await sweepInbox(fixture.database, 'counting', 2_000)).toBe(2_500);
      clearImmediate(counter);
      expect(turns, 'turns of the event loop during the sweep').toBeGreaterThanOrEqual(10);
      const left = await fixture.database.query.selectFrom('inbox').select('id').orderBy('id').execute();
      expect(left.map(({ id }) => id)).toEqual(['old', 'young']);
    });
  });
}

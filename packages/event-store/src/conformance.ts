import { CounterRaised } from '@tidegate/testing/sample-messages';
import { createMessage, type Envelope } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { appendEvents } from './append-events.ts';
import { eventStoreMigrations, type EventStoreTables } from './event-store-tables.ts';
import { readEvents } from './read-events.ts';

export interface EventStoreSubject extends AsyncDisposable {
  /** Opens another handle on the same data, as another process would. */
  open(): Database<EventStoreTables>;
}

function event(key: string, sequence: number, by = 'a'): Envelope {
  return createMessage(CounterRaised, {
    id: `counters/${key}@${sequence}`,
    key,
    sequence,
    timeMs: 1_700_000_000_000,
    data: { counterId: key },
    causationid: by,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  });
}

/** Conformance suite of the event store, for one database. */
export function describeEventStore(name: string, create: () => Promise<EventStoreSubject>): void {
  async function createStore() {
    const subject = await create();
    const database = subject.open();
    await database.migrate(eventStoreMigrations);
    const append = (expectedVersion: number, ...events: Envelope[]) =>
      database.transaction((unit) => appendEvents(unit, { stream: 'counters/1', expectedVersion, events }));
    const read = () => readEvents(database.query, 'counters/1');
    return { subject, database, append, read, [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() };
  }

  describe(`event store on ${name}`, () => {
    it('reads the events of a stream, oldest first, and an unknown stream as empty', async () => {
      await using store = await createStore();
      expect(await store.read()).toEqual([]);
      const events = [event('1', 1), event('1', 2), event('1', 3)];
      await store.append(0, ...events.slice(0, 2));
      await store.append(2, events[2]!);
      expect(await store.read()).toEqual(events);
    });

    it.each([
      ['older', 1],
      ['newer', 5],
      ['new', 0],
    ])(
      'rejects an append that expects an %s stream with CONFLICT, and changes nothing',
      async (_, expectedVersion) => {
        await using store = await createStore();
        await store.append(0, event('1', 1), event('1', 2));
        const late = store.append(expectedVersion, event('1', expectedVersion + 1, 'late'));
        await expect(late).rejects.toMatchObject({
          code: 'CONFLICT',
          retryable: true,
          details: { stream: 'counters/1', expectedVersion, actualVersion: 2 },
        });
        expect(await store.read()).toHaveLength(2);
      },
    );

    it('rejects an append to a stream that does not exist with CONFLICT', async () => {
      await using store = await createStore();
      await expect(store.append(3, event('1', 4))).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { actualVersion: 0 },
      });
    });

    it('leaves the transaction usable after a conflict, for a retry within it', async () => {
      await using store = await createStore();
      await store.append(0, event('1', 1));
      await store.database.transaction(async (unit) => {
        const stream = 'counters/1';
        const stale = appendEvents(unit, { stream, expectedVersion: 0, events: [event('1', 1, 'stale')] });
        await expect(stale).rejects.toMatchObject({ code: 'CONFLICT' });
        const { length } = await readEvents(unit.tx, stream);
        await appendEvents(unit, { stream, expectedVersion: length, events: [event('1', length + 1)] });
      });
      expect((await store.read()).map((each) => each.sequence)).toEqual([1, 2]);
    });

    it.each([0, 2])(
      'accepts exactly one of many concurrent appends to version %i',
      async (expectedVersion) => {
        await using store = await createStore();
        if (expectedVersion > 0) await store.append(0, event('1', 1), event('1', 2));
        const handles = [store.database, store.subject.open(), store.subject.open()];
        const results = await Promise.allSettled(
          Array.from({ length: 12 }, (_, n) =>
            handles[n % 3]!.transaction((unit) => {
              const events = [
                event('1', expectedVersion + 1, `writer-${n}`),
                event('1', expectedVersion + 2, `writer-${n}`),
              ];
              return appendEvents(unit, { stream: 'counters/1', expectedVersion, events });
            }),
          ),
        );
        const lost = results.filter((result) => result.status === 'rejected');
        expect(lost).toHaveLength(11);
        for (const { reason } of lost) {
          expect(reason).toMatchObject({ code: 'CONFLICT', details: { actualVersion: expectedVersion + 2 } });
        }
        const events = await store.read();
        expect(events.map((each) => each.sequence)).toEqual(
          Array.from({ length: expectedVersion + 2 }, (_, i) => i + 1),
        );
        expect(new Set(events.slice(expectedVersion).map((each) => each.causationid)).size).toBe(1);
      },
    );

    it('accepts another writer after the first rolls back', async () => {
      await using store = await createStore();
      const other = store.subject.open();
      const appended = deferred();
      const giveUp = deferred();
      const first = store.database.transaction(async (unit) => {
        await appendEvents(unit, {
          stream: 'counters/1',
          expectedVersion: 0,
          events: [event('1', 1, 'first')],
        });
        appended.resolve();
        await giveUp.promise;
        throw new Error('on purpose');
      });
      await appended.promise;
      const second = other.transaction((unit) =>
        appendEvents(unit, { stream: 'counters/1', expectedVersion: 0, events: [event('1', 1, 'second')] }),
      );
      giveUp.resolve();
      await expect(first).rejects.toThrow('on purpose');
      await second;
      expect((await store.read()).map((each) => each.causationid)).toEqual(['second']);
    });

    it('rejects events whose sequence does not follow the expected version', async () => {
      await using store = await createStore();
      await expect(store.append(0, event('1', 2))).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(store.append(0, event('1', 1), event('1', 3))).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(await store.read()).toEqual([]);
    });
  });
}

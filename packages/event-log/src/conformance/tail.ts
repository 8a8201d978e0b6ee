import { describe, expect, it } from 'vitest';
import { deferred, until } from '@tidegate/testing';
import type { LogRecord } from '../event-log.ts';
import {
  collect,
  keyOfP0,
  keyOfP1,
  numbered,
  record,
  texts,
  useSubject,
  type CreateSubject,
} from './subject.ts';

export function describeTail(create: CreateSubject): void {
  describe('tail', () => {
    const fixture = useSubject(create);

    it('Each record MUST be delivered once and in order per partition, from the start on', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      await log.append(topic, numbered(600, keys));
      const { records } = await collect(log, topic, 'start');
      for (let i = 0; i < 10; i++) await log.append(topic, numbered(6, keys, 600 + i * 6));
      await until(() => records.length >= 660, { what: 'all 660 come' });
      const places = records.map(({ partition, offset }) => `${partition}/${offset}`);
      expect(new Set(places).size).toBe(660);
      for (const key of keys) {
        const values = texts(records.filter((one) => one.key === key)).map(Number);
        expect(values, key).toEqual([...values].sort((x, y) => x - y));
      }
    });

    it('From the end on, records appended after tail resolved MUST be delivered, earlier ones MUST NOT', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      await log.append(topic, numbered(5, ['a', 'b']));
      const { records, tail } = await collect(log, topic, 'end');
      const ends = await log.ends(topic);
      expect(tail.startedAt).toEqual(ends.map(({ partition, end }) => ({ topic, partition, offset: end })));
      await log.append(topic, [record('a', 'new'), record('b', 'new')]);
      await until(() => records.length >= 2, { what: 'both come' });
      expect(texts(records)).toEqual(['new', 'new']);
    });

    it('Every tail MUST get every record, in this process and in another', async () => {
      const [one, two] = await Promise.all([fixture.open(), fixture.open()]);
      const topic = await fixture.topic(one);
      const tails = [
        await collect(one, topic, 'end'),
        await collect(one, topic, 'end'),
        await collect(two, topic, 'end'),
      ];
      await one.append(topic, numbered(3));
      await two.append(topic, numbered(3, ['a'], 3));
      for (const { records } of tails) {
        await until(() => records.length >= 6, { what: 'all six come' });
        expect(texts(records)).toEqual(['0', '1', '2', '3', '4', '5']);
      }
    });

    it('A start at a time MUST deliver from the first record at or after it', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const base = Date.now() - 10_000;
      for (const at of [0, 1_000, 2_000]) {
        await log.append(topic, [record('a', String(at), { timestampMs: base + at })]);
      }
      const { records, tail } = await collect(log, topic, { timeMs: base + 500 });
      expect(tail.startedAt).toEqual([{ topic, partition: 0, offset: 1 }]);
      await until(() => records.length >= 2, { what: 'both come' });
      expect(texts(records)).toEqual(['1000', '2000']);
    });

    it('A start at positions MUST deliver from them; a partition without one MUST start at its end', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      await log.append(topic, [...numbered(4, [keyOfP0]), record(keyOfP1, 'before')]);
      const positions = [{ topic, partition: 0, offset: 2 }];
      const { records, tail } = await collect(log, topic, { positions });
      expect(tail.startedAt.map(({ offset }) => offset)).toEqual([2, 1, 0]);
      await log.append(topic, [record(keyOfP1, 'after')]);
      await until(() => records.length >= 3, { what: 'all three come' });
      expect(texts(records).sort()).toEqual(['2', '3', 'after']);
    });

    it('A position at the end of its partition MUST be in range', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      await log.append(topic, numbered(2));
      const { records } = await collect(log, topic, { positions: [{ topic, partition: 0, offset: 2 }] });
      await log.append(topic, numbered(1, ['a'], 2));
      await until(() => records.length >= 1, { what: 'it comes' });
      expect(texts(records)).toEqual(['2']);
    });

    it.each([
      ['a deleted offset', 1],
      ['an offset after the end', 6],
    ])(
      'A start that the log does not hold MUST reject with LOG_POSITION_OUT_OF_RANGE: %s',
      async (_, offset) => {
        const log = await fixture.open();
        const topic = await fixture.topic(log, { partitions: 1 });
        await log.append(topic, numbered(5));
        await fixture.subject().deleteBefore(topic, 0, 2);
        const tail = collect(log, topic, { positions: [{ topic, partition: 0, offset }] });
        await expect(tail).rejects.toMatchObject({ code: 'LOG_POSITION_OUT_OF_RANGE' });
      },
    );

    it('The next records of a partition MUST NOT be read before onRecords resolved', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const gate = deferred();
      const batches: (readonly LogRecord[])[] = [];
      await log.tail({
        topics: [topic],
        from: 'end',
        onRecords: (records) => {
          batches.push(records);
          return batches.length === 1 ? gate.promise : undefined;
        },
      });
      await log.append(topic, numbered(1));
      await until(() => batches.length === 1, { what: 'the first batch comes' });
      const { records: deliveredToOther } = await collect(log, topic, 'start');
      await log.append(topic, numbered(3, ['a'], 1));
      await until(() => deliveredToOther.length === 4, { what: 'a free tail has all four' });
      expect(batches).toHaveLength(1);
      gate.resolve();
      await until(() => batches.flat().length === 4, { what: 'the rest comes' });
      expect(texts(batches.flat())).toEqual(['0', '1', '2', '3']);
    });

    it('A slow partition MUST NOT hold up the other partitions', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const gate = deferred();
      const seen: string[] = [];
      await log.tail({
        topics: [topic],
        from: 'end',
        onRecords: (records) => {
          seen.push(...texts(records));
          return records[0]?.partition === 0 ? gate.promise : undefined;
        },
      });
      await log.append(topic, [record(keyOfP0, 'slow')]);
      await until(() => seen.includes('slow'), { what: 'the slow one is being handled' });
      await log.append(topic, [record(keyOfP1, 'fast')]);
      await until(() => seen.includes('fast'), { what: 'the other partition goes on' });
      gate.resolve();
    });

    it('When onRecords rejects, the tail MUST call onEnd once and MUST NOT deliver any further record', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const ended: Error[] = [];
      let calls = 0;
      await log.tail({
        topics: [topic],
        from: 'end',
        onRecords: async () => {
          calls++;
          throw new Error('enough');
        },
        onEnd: (error) => void ended.push(error),
      });
      const { records } = await collect(log, topic, 'end');
      await log.append(topic, numbered(1));
      await until(() => ended.length > 0, { what: 'it ends' });
      await log.append(topic, numbered(2, ['a'], 1));
      await until(() => records.length === 3, { what: 'another tail has them' });
      expect(ended.map((error) => error.message)).toEqual(['enough']);
      expect(calls).toBe(1);
    });

    it('After stop resolved, onRecords MUST NOT be called again; stopping twice MUST be one stop', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const stopped = await collect(log, topic, 'end');
      const other = await collect(log, topic, 'end');
      await log.append(topic, numbered(1));
      await until(() => stopped.records.length === 1, { what: 'the first comes' });
      await Promise.all([stopped.tail.stop(), stopped.tail.stop()]);
      await log.append(topic, numbered(2, ['a'], 1));
      await until(() => other.records.length === 3, { what: 'another tail has them' });
      expect(stopped.records).toHaveLength(1);
    });
  });
}

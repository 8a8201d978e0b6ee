import { describe, expect, it } from 'vitest';
import { partitionFor } from '../murmur2.ts';
import { keyOfP0, keyOfP1, numbered, record, texts, useSubject, type CreateSubject } from './subject.ts';

export function describeLookUp(create: CreateSubject): void {
  describe('look-ups', () => {
    const fixture = useSubject(create);

    it('A topic MUST keep records for at least the retention time that it was created with', async () => {
      const log = await fixture.open();
      for (const cleanup of ['delete', 'compact'] as const) {
        const name = fixture.name(`kept-${cleanup}`);
        await log.ensureTopics([{ name, partitions: 1, cleanup, retentionMs: 7_200_000 }]);
        expect(await log.keptMs(name)).toBeGreaterThanOrEqual(7_200_000);
      }
      await expect(log.keptMs(fixture.name('no-such'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('For each partition ends MUST return the first offset held and the offset of the next record', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      expect([partitionFor(keyOfP0, 3), partitionFor(keyOfP1, 3)]).toEqual([0, 1]);
      await log.append(topic, [...numbered(4, [keyOfP0]), record(keyOfP1, 'x')]);
      await fixture.subject().deleteBefore(topic, 0, 3);
      expect(await log.ends(topic)).toEqual([
        { partition: 0, start: 3, end: 4 },
        { partition: 1, start: 0, end: 1 },
        { partition: 2, start: 0, end: 0 },
      ]);
    });

    it('For each partition offsetsAt MUST return the first offset at or after the time, the end where there is none', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const base = Date.now() - 60_000;
      for (const at of [0, 1_000, 2_000, 3_000]) {
        await log.append(topic, [record(keyOfP0, String(at), { timestampMs: base + at })]);
      }
      await log.append(topic, [record(keyOfP1, 'old', { timestampMs: base })]);
      expect(await log.offsetsAt(topic, base + 1_001)).toEqual([
        { partition: 0, offset: 2 },
        { partition: 1, offset: 1 },
        { partition: 2, offset: 0 },
      ]);
      expect((await log.offsetsAt(topic, base + 1_000))[0]).toEqual({ partition: 0, offset: 1 });
      expect((await log.offsetsAt(topic, base - 1_000))[0]).toEqual({ partition: 0, offset: 0 });
    });

    it('read MUST return the records with fromOffset <= offset < toOffset, in order, at most maxRecords', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      await log.append(topic, numbered(10));
      const read = async (fromOffset: number, toOffset: number, maxRecords: number): Promise<string[]> =>
        texts(await log.read({ topic, partition: 0, fromOffset, toOffset, maxRecords }));
      expect(await read(2, 5, 100)).toEqual(['2', '3', '4']);
      expect(await read(2, 9, 2)).toEqual(['2', '3']);
      expect(await read(8, 100, 100)).toEqual(['8', '9']);
      expect(await read(10, 100, 100)).toEqual([]);
      expect(await read(5, 5, 100)).toEqual([]);
    });

    it('read MUST reject with LOG_POSITION_OUT_OF_RANGE when fromOffset was deleted', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      await log.append(topic, numbered(5));
      await fixture.subject().deleteBefore(topic, 0, 2);
      const read = log.read({ topic, partition: 0, fromOffset: 1, toOffset: 5, maxRecords: 5 });
      await expect(read).rejects.toMatchObject({ code: 'LOG_POSITION_OUT_OF_RANGE' });
      expect(
        texts(await log.read({ topic, partition: 0, fromOffset: 2, toOffset: 5, maxRecords: 5 })),
      ).toEqual(['2', '3', '4']);
    });

    it('read MUST reject with NOT_FOUND for a partition that the topic does not have', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const read = log.read({ topic, partition: 7, fromOffset: 0, toOffset: 5, maxRecords: 5 });
      await expect(read).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}

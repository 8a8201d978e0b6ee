import { describe, expect, it } from 'vitest';
import { partitionFor } from '../murmur2.ts';
import { collect, numbered, record, texts, useSubject, type CreateSubject } from './subject.ts';
import { until } from '@tidegate/testing';

export function describeAppend(create: CreateSubject): void {
  describe('append', () => {
    const fixture = useSubject(create);

    it("append MUST resolve with one position a record, in the order given; the key MUST choose the partition by Kafka's murmur2", async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 7 });
      const keys = ['21', 'foobar', 'a-little-bit-long-string', '', 'ключ', '21'];
      const positions = await log.append(
        topic,
        keys.map((key) => record(key, 'x')),
      );
      expect(positions.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionFor(key, 7)));
      expect(positions.every((position) => position.topic === topic)).toBe(true);
      expect((positions[5]?.offset ?? 0) - (positions[0]?.offset ?? 0)).toBeGreaterThan(0);
      const [read] = await log.read({
        topic,
        partition: positions[1]?.partition ?? -1,
        fromOffset: positions[1]?.offset ?? -1,
        toOffset: (positions[1]?.offset ?? -1) + 1,
        maxRecords: 1,
      });
      expect(read?.key).toBe('foobar');
    });

    it('Records of one call with the same key MUST keep their order', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const positions = await log.append(topic, numbered(300));
      expect(positions.map(({ offset }) => offset)).toEqual(Array.from({ length: 300 }, (_, i) => i));
      const records = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 300, maxRecords: 300 });
      expect(texts(records)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    });

    it('Concurrent calls MUST get positions of their own, in the order of the calls', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const calls = await Promise.all(
        Array.from({ length: 50 }, (_, i) => log.append(topic, numbered(2, ['a'], i * 2))),
      );
      expect(calls.flat().map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      const records = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 100, maxRecords: 100 });
      expect(texts(records)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
    });

    it('An empty call MUST resolve without a position', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      expect(await log.append(topic, [])).toEqual([]);
    });

    it('Key, headers, value and timestamp MUST be kept', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const value = Buffer.from([0, 255, 10, 13, 128]);
      const headers = { ce_id: '1', traceparent: '00-äöü' };
      await log.append(topic, [{ key: 'ключ', value, headers, timestampMs: 1_700_000_000_123 }]);
      const { records, tail } = await collect(log, topic, 'start');
      await until(() => records.length > 0, { what: 'the record comes' });
      const expected = {
        topic,
        partition: 0,
        offset: 0,
        key: 'ключ',
        headers,
        timestampMs: 1_700_000_000_123,
      };
      for (const found of [
        records[0],
        ...(await log.read({ ...expected, fromOffset: 0, toOffset: 1, maxRecords: 1 })),
      ]) {
        expect(found).toMatchObject(expected);
        expect(found?.headers).toEqual(headers);
        expect(Buffer.compare(found?.value ?? Buffer.alloc(0), value)).toBe(0);
      }
      await tail.stop();
    });

    it('A record without a timestamp MUST get the time of the append', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const before = Date.now();
      await log.append(topic, [record('a', '1')]);
      const [found] = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 1, maxRecords: 1 });
      expect(found?.timestampMs).toBeGreaterThanOrEqual(before);
      expect(found?.timestampMs).toBeLessThanOrEqual(Date.now());
    });

    it('A null value MUST be kept as a tombstone, an empty one as empty', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1, cleanup: 'compact' });
      await log.append(topic, [record('a', 'x', { value: null }), record('b', '')]);
      const records = await log.read({ topic, partition: 0, fromOffset: 0, toOffset: 2, maxRecords: 2 });
      expect(records[0]?.value).toBeNull();
      expect(records[1]?.value?.length).toBe(0);
    });

    it('Acknowledged records MUST be there after the log is opened again', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      await log.append(topic, numbered(3));
      await log.close();
      const again = await fixture.open();
      const records = await again.read({ topic, partition: 0, fromOffset: 0, toOffset: 3, maxRecords: 3 });
      expect(texts(records)).toEqual(['0', '1', '2']);
    });

    it('A call with a record above the size limit MUST reject with PAYLOAD_TOO_LARGE and MUST NOT append any record', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const large = record('a', 'x', { value: Buffer.alloc(2_000_000) });
      await expect(log.append(topic, [record('a', 'small'), large])).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
      });
      expect(await log.ends(topic)).toEqual([{ partition: 0, start: 0, end: 0 }]);
    });

    it('An unknown topic MUST reject with NOT_FOUND and MUST NOT be created', async () => {
      const log = await fixture.open();
      const topic = fixture.name('unknown');
      for (const asked of [
        () => log.append(topic, [record('a', '1')]),
        () => log.append(topic, [record('a', '1')]),
        () => log.ends(topic),
        () => log.offsetsAt(topic, 0),
        () => log.lag('group', topic),
        () => log.tail({ topics: [topic], from: 'end', onRecords: () => undefined }),
        () => log.consume({ group: fixture.name('group'), topics: [topic], handler: async () => undefined }),
        () => log.read({ topic, partition: 0, fromOffset: 0, toOffset: 1, maxRecords: 1 }),
      ]) {
        await expect(asked()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      await expect(log.ends(topic)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}

import { describe, expect, it } from 'vitest';
import { deferred, until } from '@tidegate/testing';
import type { ConsumeOptions, Consumption, EventLog, LogRecord } from '../event-log.ts';
import { keyOfP0, keyOfP1, numbered, record, texts, useSubject, type CreateSubject } from './subject.ts';

const totalLag = async (log: EventLog, group: string, topic: string): Promise<number> =>
  (await log.lag(group, topic)).reduce((sum, { lag }) => sum + lag, 0);

interface Seen {
  readonly records: LogRecord[];
  readonly consumption: Consumption;
}

async function consumeAll(
  log: EventLog,
  options: Omit<ConsumeOptions, 'handler'> & Partial<ConsumeOptions>,
): Promise<Seen> {
  const records: LogRecord[] = [];
  const handler = async (batch: { records: readonly LogRecord[] }): Promise<void> =>
    void records.push(...batch.records);
  return { records, consumption: await log.consume({ handler, ...options }) };
}

// On a real broker a join takes some seconds when another member has to leave first.
const patient = { timeoutMs: 25_000 };

export function describeConsume(create: CreateSubject): void {
  describe('consume', { timeout: 60_000 }, () => {
    const fixture = useSubject(create);

    it('Records of a partition MUST come in order, in batches of at most maxBatchRecords', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const group = fixture.name('group');
      await log.append(topic, numbered(100, ['a', 'b', 'c', 'd']));
      const batches: (readonly LogRecord[])[] = [];
      await log.consume({
        group,
        topics: [topic],
        maxBatchRecords: 7,
        handler: async (batch) => {
          expect(batch.topic).toBe(topic);
          expect(new Set(batch.records.map((one) => one.partition))).toEqual(new Set([batch.partition]));
          batches.push(batch.records);
        },
      });
      await until(() => batches.flat().length >= 100, { what: 'all come', ...patient });
      expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(7);
      for (const partition of [0, 1, 2]) {
        const offsets = batches
          .flat()
          .filter((one) => one.partition === partition)
          .map((one) => one.offset);
        expect(offsets).toEqual(offsets.map((_, i) => i));
      }
    });

    it('A batch MUST be acknowledged when the handler resolves: the lag falls to 0', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const group = fixture.name('group');
      await log.append(topic, numbered(10, ['a', 'b', 'c']));
      expect(await totalLag(log, group, topic)).toBe(10);
      await consumeAll(log, { group, topics: [topic] });
      await until(async () => (await totalLag(log, group, topic)) === 0, { what: 'lag 0', ...patient });
      expect(await log.lag(group, topic)).toHaveLength(3);
    });

    it('Before the handler resolves, the batch MUST NOT be acknowledged and the next one MUST NOT come', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const group = fixture.name('group');
      await log.append(topic, numbered(4));
      const gate = deferred();
      const seen: string[][] = [];
      await log.consume({
        group,
        topics: [topic],
        maxBatchRecords: 2,
        handler: (batch) => {
          seen.push(texts(batch.records));
          return seen.length === 1 ? gate.promise : Promise.resolve();
        },
      });
      await until(() => seen.length === 1, { what: 'the first batch', ...patient });
      expect(await totalLag(log, group, topic)).toBe(4);
      expect(seen).toHaveLength(1);
      gate.resolve();
      await until(() => seen.flat().length === 4, { what: 'the rest', ...patient });
      expect(seen.flat()).toEqual(['0', '1', '2', '3']);
    });

    it('When the handler rejects, the same records MUST come again after a backoff', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const group = fixture.name('group');
      await log.append(topic, numbered(3));
      const attempts: string[][] = [];
      const errors: Error[] = [];
      await log.consume({
        group,
        topics: [topic],
        onError: (error) => void errors.push(error),
        handler: async (batch) => {
          attempts.push(texts(batch.records));
          if (attempts.length <= 2) throw new Error('not yet');
        },
      });
      await until(async () => (await totalLag(log, group, topic)) === 0, {
        what: 'acknowledged',
        ...patient,
      });
      expect(attempts).toEqual([
        ['0', '1', '2'],
        ['0', '1', '2'],
        ['0', '1', '2'],
      ]);
      expect(errors.map((error) => error.message)).toEqual(['not yet', 'not yet']);
    });

    it('A slow or failing partition MUST NOT hold up the others', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      const group = fixture.name('group');
      const gate = deferred();
      const done: string[] = [];
      let failures = 0;
      await log.append(topic, [record(keyOfP0, 'fails'), ...numbered(5, [keyOfP1])]);
      await log.consume({
        group,
        topics: [topic],
        maxBatchRecords: 1,
        handler: async (batch) => {
          if (batch.partition === 0 && ++failures < 4) throw new Error('fails');
          if (batch.partition === 0) await gate.promise;
          done.push(...texts(batch.records));
        },
      });
      await until(() => failures >= 4, { what: 'partition 0 failed, and is slow now', ...patient });
      await until(() => done.length === 5, { what: 'partition 1 is through', ...patient });
      await log.append(topic, [record(keyOfP1, 'new')]);
      await until(() => done.includes('new'), { what: 'partition 1 goes on', ...patient });
      expect(done).not.toContain('fails');
      gate.resolve();
      await until(() => done.includes('fails'), { what: 'partition 0 is through', ...patient });
    });

    it('After a restart unacknowledged records MUST come again, acknowledged ones MUST NOT', async () => {
      const first = await fixture.open();
      const topic = await fixture.topic(first, { partitions: 1 });
      const group = fixture.name('group');
      await first.append(topic, numbered(3));
      const failing: string[] = [];
      await first.consume({
        group,
        topics: [topic],
        maxBatchRecords: 1,
        handler: async (batch) => {
          if (texts(batch.records)[0] === '2') {
            failing.push('2');
            throw new Error('the process dies here');
          }
        },
      });
      await until(() => failing.length > 0, { what: 'the third is tried', ...patient });
      await first.close();
      const second = await fixture.open();
      expect(await totalLag(second, group, topic)).toBe(1);
      const { records } = await consumeAll(second, { group, topics: [topic] });
      await second.append(topic, numbered(1, ['a'], 3));
      await until(() => records.length >= 2, { what: 'the rest comes', ...patient });
      expect(texts(records)).toEqual(['2', '3']);
    });

    it("A new group MUST start at `from`; its 'end' MUST stay the same end across a restart", async () => {
      const first = await fixture.open();
      const topic = await fixture.topic(first, { partitions: 1 });
      const group = fixture.name('group');
      await first.append(topic, numbered(2));
      const before = await consumeAll(first, { group, topics: [topic], from: 'end' });
      await until(async () => (await totalLag(first, group, topic)) === 0, {
        what: 'the group has joined',
        ...patient,
      });
      await before.consumption.stop();
      await first.append(topic, numbered(2, ['a'], 2));
      const { records } = await consumeAll(first, { group, topics: [topic], from: 'end' });
      await until(() => records.length >= 2, { what: 'the records appended meanwhile come', ...patient });
      expect(texts(records)).toEqual(['2', '3']);
      expect(before.records).toEqual([]);
    });

    it('Each group MUST get every record', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log);
      await log.append(topic, numbered(6, ['a', 'b', 'c']));
      const one = await consumeAll(log, { group: fixture.name('group'), topics: [topic] });
      const two = await consumeAll(log, { group: fixture.name('group'), topics: [topic] });
      await until(() => one.records.length >= 6 && two.records.length >= 6, {
        what: 'both have all',
        ...patient,
      });
    });

    it('Each partition MUST be owned by one member of the group at a time; when one leaves, the others MUST take over', async () => {
      const [one, two] = await Promise.all([fixture.open(), fixture.open()]);
      const topic = await fixture.topic(one, { partitions: 2 });
      const group = fixture.name('group');
      const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
      const a = await consumeAll(one, { group, topics: [topic] });
      const b = await consumeAll(two, { group, topics: [topic] });
      const seen = (): LogRecord[] => [...a.records, ...b.records];
      let appended = 0;
      await until(
        async () => {
          await one.append(topic, numbered(20, keys, appended));
          appended += 20;
          await until(() => seen().length >= appended, { what: 'this round is handled', ...patient });
          const last = appended - 20;
          const mine = (records: LogRecord[]): boolean => texts(records).some((text) => Number(text) >= last);
          return mine(a.records) && mine(b.records);
        },
        { what: 'both members have a share', everyMs: 100, ...patient },
      );
      const at = seen().length;
      await b.consumption.stop();
      await one.append(topic, numbered(20, keys, appended));
      await until(() => seen().length >= at + 20, { what: 'the first takes over', ...patient });
      const places = new Set(seen().map(({ partition, offset }) => `${partition}/${offset}`));
      expect(places.size).toBe(appended + 20);
    });

    it('stop MUST abort the signal, wait for running handlers and acknowledge the batches that they finished', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const group = fixture.name('group');
      await log.append(topic, numbered(2));
      const running = deferred<AbortSignal>();
      const gate = deferred();
      const consumption = await log.consume({
        group,
        topics: [topic],
        maxBatchRecords: 1,
        handler: async (batch) => {
          running.resolve(batch.signal);
          await gate.promise;
        },
      });
      const signal = await running.promise;
      let stopped = false;
      const stopping = Promise.all([consumption.stop(), consumption.stop()]).then(() => (stopped = true));
      await until(() => signal.aborted, { what: 'the signal aborts', ...patient });
      expect(stopped).toBe(false);
      gate.resolve();
      await stopping;
      expect(await totalLag(log, group, topic)).toBe(1);
    });

    it('close MUST wait for running handlers', async () => {
      const log = await fixture.open();
      const topic = await fixture.topic(log, { partitions: 1 });
      const running = deferred();
      let finished = false;
      await log.append(topic, numbered(1));
      await log.consume({
        group: fixture.name('group'),
        topics: [topic],
        handler: async (batch) => {
          running.resolve();
          await until(() => batch.signal.aborted, { what: 'the signal aborts', ...patient });
          finished = true;
        },
      });
      await running.promise;
      await log.close();
      expect(finished).toBe(true);
    });
  });
}

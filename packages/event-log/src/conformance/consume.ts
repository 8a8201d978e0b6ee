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

// Joining a group takes a real broker some seconds when a member has to leave first.
const patient = { timeoutMs: 25_000 };

export function describeConsume(create: CreateSubject): void {
  describe('consume', { timeout: 60_000 }, () => {
    const bench = useSubject(create);

    it('records of a partition come in order, in batches of at most maxBatchRecords', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log);
      const group = bench.name('group');
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

    it('a batch is acknowledged when the handler resolves: lag falls to nothing', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log);
      const group = bench.name('group');
      await log.append(topic, numbered(10, ['a', 'b', 'c']));
      expect(await totalLag(log, group, topic)).toBe(10);
      await consumeAll(log, { group, topics: [topic] });
      await until(async () => (await totalLag(log, group, topic)) === 0, { what: 'lag 0', ...patient });
      expect(await log.lag(group, topic)).toHaveLength(3);
    });

    it('the next batch comes after the handler resolved, and nothing is acknowledged before', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 1 });
      const group = bench.name('group');
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

    it('when the handler rejects the same records come again after a backoff', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 1 });
      const group = bench.name('group');
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

    it('a partition that is slow or failing does not hold up the others', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log);
      const group = bench.name('group');
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

    it('what was acknowledged does not come again after a restart, what was not does', async () => {
      const first = await bench.open();
      const topic = await bench.topic(first, { partitions: 1 });
      const group = bench.name('group');
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
      const second = await bench.open();
      expect(await totalLag(second, group, topic)).toBe(1);
      const { records } = await consumeAll(second, { group, topics: [topic] });
      await second.append(topic, numbered(1, ['a'], 3));
      await until(() => records.length >= 2, { what: 'the rest comes', ...patient });
      expect(texts(records)).toEqual(['2', '3']);
    });

    it("a new group starts at `from`; 'end' stays that end across a restart", async () => {
      const first = await bench.open();
      const topic = await bench.topic(first, { partitions: 1 });
      const group = bench.name('group');
      await first.append(topic, numbered(2));
      const before = await consumeAll(first, { group, topics: [topic], from: 'end' });
      await until(async () => (await totalLag(first, group, topic)) === 0, {
        what: 'it has joined',
        ...patient,
      });
      await before.consumption.stop();
      await first.append(topic, numbered(2, ['a'], 2));
      const { records } = await consumeAll(first, { group, topics: [topic], from: 'end' });
      await until(() => records.length >= 2, { what: 'what came meanwhile', ...patient });
      expect(texts(records)).toEqual(['2', '3']);
      expect(before.records).toEqual([]);
    });

    it('two groups each get every record', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log);
      await log.append(topic, numbered(6, ['a', 'b', 'c']));
      const one = await consumeAll(log, { group: bench.name('group'), topics: [topic] });
      const two = await consumeAll(log, { group: bench.name('group'), topics: [topic] });
      await until(() => one.records.length >= 6 && two.records.length >= 6, {
        what: 'both have all',
        ...patient,
      });
    });

    it('each partition is owned by one member of the group at a time, and the rest takes over', async () => {
      const [one, two] = await Promise.all([bench.open(), bench.open()]);
      const topic = await bench.topic(one, { partitions: 2 });
      const group = bench.name('group');
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

    it('stop aborts the signal, waits for running handlers and acknowledges what they finished', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 1 });
      const group = bench.name('group');
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

    it('close waits for running handlers, too', async () => {
      const log = await bench.open();
      const topic = await bench.topic(log, { partitions: 1 });
      const running = deferred();
      let finished = false;
      await log.append(topic, numbered(1));
      await log.consume({
        group: bench.name('group'),
        topics: [topic],
        handler: async (batch) => {
          running.resolve();
          await until(() => batch.signal.aborted, { what: 'it is told to finish', ...patient });
          finished = true;
        },
      });
      await running.promise;
      await log.close();
      expect(finished).toBe(true);
    });
  });
}

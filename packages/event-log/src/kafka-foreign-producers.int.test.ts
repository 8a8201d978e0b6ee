/** Records that producers of other systems append: compressed, in transactions, aborted. */
import { silentLogger } from '@tidegate/runtime/telemetry';
import { kafkaBrokersFromEnv, until } from '@tidegate/testing';
import { CompressionTypes, Kafka, logLevel, type Transaction } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog, LogRecord } from './event-log.ts';
import { createKafkaEventLog } from './kafka.ts';

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: records of foreign producers; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('a producer of another system', { timeout: 60_000 }, () => {
  const kafka = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING });
  const run = `foreign-${process.pid}-${Date.now().toString(36)}`;
  let log: EventLog;
  let topic: string;
  let count = 0;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(() => {
    log = createKafkaEventLog({ brokers: brokers ?? [], clientId: 'foreign', logger: silentLogger });
  });
  beforeEach(async () => {
    topic = `${run}-${(count += 1)}`;
    await log.ensureTopics([{ name: topic, partitions: 1, cleanup: 'delete', retentionMs: 3_600_000 }]);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  afterAll(async () => {
    await log.close();
    const admin = kafka.admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(run));
    await admin.deleteTopics({ topics });
    await admin.disconnect();
  });

  const value = (name: string, bytes: number): string => `${name} ${'x'.repeat(bytes)}`;
  const nameOf = ({ value: bytes }: LogRecord): string => bytes!.toString().split(' ')[0]!;

  /** What a tail and a group receive, and the position that the tail has reached. */
  async function follow() {
    const tailed: string[] = [];
    const grouped: string[] = [];
    let position = 0;
    const tail = await log.tail({
      topics: [topic],
      from: 'start',
      onRecords: (records) => {
        tailed.push(...records.map(nameOf));
        position = records.at(-1)!.offset + 1;
      },
      onPosition: ({ offset }) => void (position = offset),
    });
    const consumption = await log.consume({
      group: `${topic}-group`,
      topics: [topic],
      handler: async ({ records }) => void grouped.push(...records.map(nameOf)),
    });
    stops.push(
      () => tail.stop(),
      () => consumption.stop(),
    );
    const end = async (): Promise<number> => (await log.ends(topic))[0]!.end;
    return {
      tailed,
      grouped,
      /**
       * Waits until the tail has reached the log's end and the group has received as much. A commit is answered before
       * its marker is written and that end moves, so the number of records is waited for as well.
       */
      level: async (records: number) => {
        await until(async () => tailed.length >= records && position === (await end()), {
          what: 'the tail at the end',
          timeoutMs: 20_000,
        });
        await until(() => grouped.length >= tailed.length, { what: 'the group', timeoutMs: 20_000 });
      },
    };
  }

  async function plain(...names: string[]): Promise<void> {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: names.map((name) => ({ key: name, value: value(name, 10) })) });
    await producer.disconnect();
  }

  async function transactional(id: string) {
    const producer = kafka.producer({
      transactionalId: `${topic}-${id}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    stops.push(() => producer.disconnect());
    const send = (transaction: Transaction, names: readonly string[], bytes = 10): Promise<unknown> =>
      transaction.send({ topic, messages: names.map((name) => ({ key: name, value: value(name, bytes) })) });
    return {
      begin: () => producer.transaction(),
      send,
      commit: async (...names: string[]) => {
        const transaction = await producer.transaction();
        await send(transaction, names);
        await transaction.commit();
      },
      abort: async (...names: string[]) => {
        const transaction = await producer.transaction();
        await send(transaction, names);
        await transaction.abort();
      },
    };
  }

  it.each(['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)(
    'that compresses with %s is read by tails and groups',
    async (codec) => {
      const producer = kafka.producer();
      await producer.connect();
      const messages = Array.from({ length: 50 }, (_, index) => ({
        key: 'k',
        value: value(`r${index}`, 500),
      }));
      await producer.send({ topic, messages, compression: CompressionTypes[codec] });
      await producer.disconnect();
      const seen = await follow();
      await seen.level(messages.length);
      const names = messages.map((_, index) => `r${index}`);
      expect([seen.tailed, seen.grouped]).toEqual([names, names]);
    },
  );

  it('that commits a transaction moves the position past its marker', async () => {
    const producer = await transactional('a');
    await producer.commit('a', 'b');
    const seen = await follow();
    await seen.level(2);
    expect([seen.tailed, seen.grouped]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('that aborts, commits and aborts shows what it has committed', async () => {
    const producer = await transactional('a');
    await producer.abort('aborted-1', 'aborted-2');
    await producer.commit('committed');
    await producer.abort('aborted-3');
    await plain('plain');
    const seen = await follow();
    await seen.level(2);
    expect([seen.tailed, seen.grouped]).toEqual([
      ['committed', 'plain'],
      ['committed', 'plain'],
    ]);
  });

  it('that aborts several megabytes, over several fetches, shows none of it', async () => {
    const producer = await transactional('a');
    const seen = await follow();
    const transaction = await producer.begin();
    for (let part = 0; part < 30; part++) await producer.send(transaction, [`aborted-${part}`], 100_000);
    await transaction.abort();
    await plain('plain');
    await seen.level(1);
    expect([seen.tailed, seen.grouped]).toEqual([['plain'], ['plain']]);
  });

  it('whose transaction is open holds back what others append, until it ends', async () => {
    const producer = await transactional('a');
    const seen = await follow();
    await plain('before');
    const transaction = await producer.begin();
    await producer.send(transaction, ['open']);
    await plain('behind');
    await until(() => seen.tailed.length === 1 && seen.grouped.length === 1, {
      what: 'the first record',
      timeoutMs: 20_000,
    });
    await transaction.abort();
    await seen.level(2);
    expect([seen.tailed, seen.grouped]).toEqual([
      ['before', 'behind'],
      ['before', 'behind'],
    ]);
  });

  it('of two whose aborted transactions interleave shows nothing, also to a group that begins between them', async () => {
    const [one, two] = [await transactional('a'), await transactional('b')];
    const [first, second] = [await one.begin(), await two.begin()];
    await one.send(first, ['one-1']);
    await two.send(second, ['two-1']);
    await one.send(first, ['one-2']);
    await two.send(second, ['two-2']);
    await first.abort();
    await second.abort();
    await one.commit('one-3');
    await two.abort('two-3');
    await two.commit('two-4');
    const tailed: string[] = [];
    const tail = await log.tail({
      topics: [topic],
      from: { positions: [{ topic, partition: 0, offset: 2 }] },
      onRecords: (records) => void tailed.push(...records.map(nameOf)),
    });
    stops.push(() => tail.stop());
    const seen = await follow();
    await seen.level(2);
    await until(() => tailed.length === 2, { what: 'the tail from between' });
    const committed = ['one-3', 'two-4'];
    expect([seen.tailed, seen.grouped, tailed]).toEqual([committed, committed, committed]);
  });
});

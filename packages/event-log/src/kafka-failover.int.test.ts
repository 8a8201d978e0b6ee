import { silentLogger } from '@tidegate/runtime/telemetry';
import { kafkaLibsFromEnv, until } from '@tidegate/testing';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, LogRecord, Position, Tail } from './event-log.ts';
import { createKafkaEventLog } from './kafka.ts';
import { silenceNegativeTimeoutOfKafkajs } from './kafka/silence-negative-timeout.ts';
import { startThreeBrokers, type BrokerId, type ThreeBrokers } from './kafka/three-brokers.fixture.ts';

const libs = kafkaLibsFromEnv();
if (!libs) console.warn('SKIPPED: the event log through leader moves and restarts; KAFKA_LIBS is not set');

const TOPIC = 'failover';
const GROUP = 'failover-group';
const PARTITIONS = 6;
const long = { timeoutMs: 60_000, everyMs: 50 };

interface Acknowledged extends Position {
  readonly value: string;
}

describe.skipIf(!libs)('the event log on three brokers', { timeout: 150_000 }, () => {
  let brokers: ThreeBrokers;
  let log: EventLog;
  let admin: Admin;
  let tail: Tail;
  const acknowledged: Acknowledged[] = [];
  const tailed: LogRecord[] = [];
  const consumed: LogRecord[] = [];
  const trouble: string[] = [];
  const groupTrouble: string[] = [];
  const refused: string[] = [];
  let producing = true;
  let producer: Promise<void>;

  /** Appends records to every partition, one call after the other. Retries a rejected call, as a relay does. */
  async function produce(): Promise<void> {
    for (let i = 0; producing; i++) {
      const records = Array.from({ length: 24 }, (_, k) => ({
        key: `key-${k}`,
        value: Buffer.from(String(i)),
        headers: {},
      }));
      try {
        const positions = await log.append(TOPIC, records);
        acknowledged.push(...positions.map((position) => ({ ...position, value: String(i) })));
      } catch (error) {
        refused.push(String(error));
        i--;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async function allInSync(): Promise<boolean> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC, '__consumer_offsets'] });
    return topics.every((topic) => topic.partitions.every(({ isr }) => isr.length === 3));
  }

  /** Resolves when records appended from now on have reached the tail and the group on every partition. */
  async function flows(what: string): Promise<void> {
    const since = acknowledged.length;
    await until(() => acknowledged.length > since + 100, { what: `${what}: appends go on`, ...long });
    const last = acknowledged.at(-1) as Acknowledged;
    const has = (records: LogRecord[]): boolean =>
      new Set(records.filter(({ value }) => Number(value) >= Number(last.value)).map((one) => one.partition))
        .size === PARTITIONS;
    await until(() => has(tailed), { what: `${what}: the tail goes on`, ...long });
    await until(() => has(consumed), { what: `${what}: the group goes on`, ...long });
  }

  beforeAll(async () => {
    silenceNegativeTimeoutOfKafkajs();
    brokers = await startThreeBrokers(libs as string);
    const kafka = new Kafka({
      brokers: brokers.addresses,
      logLevel: logLevel.NOTHING,
      // Short waits: the retries of one call must not use up the time limit of a condition.
      retry: { retries: 20, maxRetryTime: 1_000 },
    });
    admin = kafka.admin();
    await until(() => admin.connect().then(() => true), { what: 'a broker answers', ...long });
    await until(async () => (await admin.describeCluster()).brokers.length === 3, {
      what: 'all three',
      ...long,
    });
    log = createKafkaEventLog({
      brokers: brokers.addresses,
      clientId: 'failover',
      logger: silentLogger,
      sessionTimeoutMs: 6_000,
    });
    await log.ensureTopics([
      { name: TOPIC, partitions: PARTITIONS, cleanup: 'delete', retentionMs: 3_600_000 },
    ]);
    tail = await log.tail({
      topics: [TOPIC],
      from: 'end',
      onRecords: (records) => void tailed.push(...records),
      onTrouble: (error) => void trouble.push(String(error)),
      onEnd: (error) => void trouble.push(`ENDED: ${String(error)}`),
    });
    await log.consume({
      group: GROUP,
      topics: [TOPIC],
      handler: async ({ records }) => void consumed.push(...records),
      onError: (error) => void groupTrouble.push(String(error)),
    });
    producer = produce();
    await flows('at the start');
    await until(allInSync, { what: 'every replica in sync', ...long });
  }, 120_000);

  afterAll(async () => {
    producing = false;
    await brokers?.[Symbol.asyncDispose]();
    await Promise.allSettled([log?.close(), admin?.disconnect()]);
  }, 60_000);

  async function backInSync(id: BrokerId): Promise<void> {
    await until(allInSync, { what: `broker ${id} is in sync again`, ...long });
  }

  it('goes on while a broker hands its leaders over, stops, restarts and leads again', async () => {
    await brokers.stop(2, 'SIGTERM');
    await flows('broker 2 stopped');
    brokers.start(2);
    await backInSync(2);
    const leadsAgain = async (): Promise<boolean> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] });
      return topics[0]?.partitions.some(({ leader }) => leader === 2) ?? false;
    };
    await until(leadsAgain, { what: 'leaders move back to broker 2', ...long });
    await flows('broker 2 leads again');
  });

  it('goes on when a broker is killed and restarts', async () => {
    await brokers.stop(3, 'SIGKILL');
    await flows('broker 3 killed');
    brokers.start(3);
    await backInSync(3);
    await flows('broker 3 is back');
  });

  it('goes on when a broker freezes without closing its connections, and thaws', async () => {
    brokers.freeze(1);
    await flows('broker 1 frozen').finally(() => brokers.thaw(1));
    await backInSync(1);
    await flows('broker 1 thawed');
  });

  it('lost no record, kept each key in order, delivered once to the tail, and the tail left no group behind', async () => {
    producing = false;
    await producer;
    const ends = await log.ends(TOPIC);
    const total = ends.reduce((sum, { end }) => sum + end, 0);
    await until(() => tailed.length >= total, { what: 'the tail has all of them', ...long });
    await until(async () => (await log.lag(GROUP, TOPIC)).every(({ lag }) => lag === 0), {
      what: 'the group has acknowledged all',
      ...long,
    });

    for (const { partition, end } of ends) {
      const held = Array.from({ length: end }, (_, offset) => offset);
      const offsets = (records: LogRecord[]): number[] =>
        records.filter((one) => one.partition === partition).map((one) => one.offset);
      // The tail delivers each record once; the group may repeat records but never skips one.
      expect(offsets(tailed)).toEqual(held);
      expect([...new Set(offsets(consumed))]).toEqual(held);
    }
    const valueAt = new Map(tailed.map((one) => [`${one.partition}/${one.offset}`, String(one.value)]));
    const missing = acknowledged.filter(
      ({ partition, offset, value }) => valueAt.get(`${partition}/${offset}`) !== value,
    );
    expect(missing).toEqual([]);
    for (const key of ['key-0', 'key-23']) {
      const values = tailed.filter((one) => one.key === key).map((one) => Number(one.value));
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
    expect(trouble.filter((line) => line.startsWith('ENDED'))).toEqual([]);
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toEqual([GROUP]);
    console.info(
      `failover: ${acknowledged.length} acknowledged, ${total} in the log, ${tailed.length} tailed, ` +
        `${consumed.length} consumed, ${refused.length} calls refused, ${trouble.length} and ${groupTrouble.length} times trouble`,
    );
    await tail.stop();
  });
});

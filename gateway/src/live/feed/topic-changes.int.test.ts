/**
 * Promises: live changes flow on when their topic was created again or has grown, and cursors from before skip nothing;
 * also when a producer chooses partitions by another rule than the stream declares.
 */
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { partitionFor, type EventLog } from '@tidegate/event-log';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { kafkaBrokersFromEnv, override, until } from '@tidegate/testing';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  allCounters,
  counterAt,
  counterRecord,
  HubWorld,
  isFlowing,
  publicCounter,
  recorder,
  requestFor,
  type Recorder,
} from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: a Kafka topic that changes; KAFKA_BROKERS is not set');

const topic = allCounters.stream.definition.topic.name;
const spec = { name: topic, cleanup: 'compact', retentionMs: 1e9 } as const;
const long = { timeoutMs: 20_000 };

describe.skipIf(!brokers)('a Kafka topic that changes', { timeout: 60_000 }, () => {
  const kafka = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING });
  const run = `changes-${process.pid}-${Date.now().toString(36)}`;
  let admin: Admin;
  let producer: Producer;
  let count = 0;
  let topicPrefix: string;
  let world: HubWorld;
  let log: EventLog;
  let hub: LiveHub;

  beforeAll(async () => {
    admin = kafka.admin();
    await admin.connect();
  });
  beforeEach(async () => {
    topicPrefix = `${run}-${(count += 1)}.`;
    log = createKafkaEventLog({
      brokers: brokers!,
      clientId: 'test',
      logger: silentLogger,
      topicPrefix,
      groupPrefix: topicPrefix,
      metadataMaxAgeMs: 300,
    });
    await log.ensureTopics([{ ...spec, partitions: 2 }]);
    // A client of its own for each topic: kafkajs asks for all topics that it has seen, and the last one is gone.
    producer = kafka.producer();
    await producer.connect();
    world = new HubWorld();
    hub = await startHub();
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await log.close();
    await producer.disconnect();
    await admin.deleteTopics({ topics: [topicPrefix + topic] });
  });
  afterAll(() => admin.disconnect());

  /** The hubs of the world are on its log; these are on Kafka. */
  const startHub = (): Promise<LiveHub> => world.startHub({ log: override(log, {}) });
  const append = (id: string, version: number) => log.append(topic, [counterRecord(id, version)]);

  /** Appends to a partition of the test's choice, as a producer with another partitioner does. */
  async function appendTo(partition: number, id: string, version: number): Promise<void> {
    const { key, value, headers } = counterRecord(id, version);
    const message = { key, value, headers: { ...headers }, partition };
    await producer.send({ topic: topicPrefix + topic, messages: [message] });
  }

  const grow = (partitions: number) =>
    admin.createPartitions({ topicPartitions: [{ topic: topicPrefix + topic, count: partitions }] });

  function follow(on: LiveHub, cursor?: string): Recorder {
    const sink = recorder();
    on.subscribe(requestFor(allCounters, { cursor }), sink);
    return sink;
  }

  const flows = (): boolean => isFlowing(hub);

  it.each([2, 3])(
    'ends subscriptions with CURSOR_EXPIRED when it is created again, with %i partitions, and serves new ones',
    async (partitions) => {
      const before = follow(hub);
      for (const version of [1, 2, 3]) await append('a', version);
      await until(() => before.received.length === 3, { what: 'three changes' });
      await admin.deleteTopics({ topics: [topicPrefix + topic] });
      await until(async () => !(await admin.listTopics()).includes(topicPrefix + topic), {
        what: 'no topic',
      });
      await log.ensureTopics([{ ...spec, partitions }]);
      await until(() => before.failure, { what: 'the end of the subscription', ...long });
      expect(before.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
      await until(flows, { what: 'the tail runs again', ...long });
      const after = follow(hub);
      const stale = follow(hub, before.received[2]!.cursor);
      for (const version of [1, 2]) await append('b', version);
      await until(() => after.received.length === 2, { what: 'changes of the new topic' });
      expect(after.versions()).toEqual([1, 2]);
      expect(stale.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
    },
  );

  it('is followed in added partitions, from their beginning, without an interruption', async () => {
    const running = follow(hub);
    await append('a', 1);
    await until(() => running.received.length === 1, { what: 'the first change' });
    const { cursor } = running.received[0]!;
    await grow(5);
    // Appended before anybody has noticed.
    for (const partition of [2, 3, 4]) await appendTo(partition, `key-${partition}`, 1);
    await until(() => running.received.length === 4, { what: 'changes of added partitions', ...long });
    expect(running.failure).toBeUndefined();
    for (const at of [cursor, running.received.at(-1)!.cursor]) {
      const replica = await startHub();
      const resumed = follow(replica, at);
      await append('z', 1);
      const missed = at === cursor ? 3 : 0;
      await until(() => resumed.received.some(({ key }) => key === 'z'), {
        what: 'the newest change',
        ...long,
      });
      expect(resumed.received.filter(({ key }) => key.startsWith('key-'))).toHaveLength(missed);
      await replica.stop();
    }
  });

  it('gets new keys in added partitions, and every group reads them', async () => {
    const read: string[] = [];
    const consumption = await log.consume({
      group: 'readers',
      topics: [topic],
      from: 'end',
      handler: async ({ records }) => void read.push(...records.map(({ partition }) => String(partition))),
    });
    await append('a', 1);
    await until(() => read.length === 1, { what: 'the group reads', ...long });
    await grow(4);
    const added = (partition: number): boolean => partition >= 2;
    let sent = 0;
    await until(
      async () => {
        const [position] = await append(`key-${(sent += 1)}`, 1);
        return added(position!.partition);
      },
      { what: 'an append to an added partition', everyMs: 50, ...long },
    );
    await until(() => read.some((partition) => added(Number(partition))), {
      what: 'the group reads an added partition',
      ...long,
    });
    await until(() => read.length === sent + 1, { what: 'the group reads everything', ...long });
    await consumption.stop();
  });

  it('may have its keys in any partition: cursors of a key skip nothing', async () => {
    const id = 'a';
    const other = 1 - partitionFor(id, 2);
    const live = recorder();
    const field = publicCounter(async () => counterAt(id, 1));
    hub.subscribe(requestFor(field, { args: { id } }), live);
    await until(() => live.messages().includes('snapshot 1'), { what: 'the snapshot' });
    await appendTo(other, id, 2);
    await until(() => live.messages().includes('change 2'), { what: 'a change' });
    await appendTo(other, id, 3);
    await appendTo(other, id, 4);
    const resumed = recorder();
    hub.subscribe(requestFor(field, { args: { id }, cursor: live.received[1]!.cursor }), resumed);
    await appendTo(other, id, 5);
    await until(() => resumed.versions().at(-1) === 5, { what: 'the newest change' });
    expect(resumed.messages()).toEqual(['change 3', 'change 4', 'change 5']);
  });

  it('that declares murmur2 and has a key elsewhere: told, and cursors hold all partitions from then on', async () => {
    const id = 'a';
    const other = 1 - partitionFor(id, 2);
    const field = { ...publicCounter(), stream: { ...allCounters.stream, partitioner: 'murmur2' as const } };
    const declared = await world.startHub({ log: override(log, {}), streams: [field.stream] });
    const live = recorder();
    declared.subscribe(requestFor(field, { args: { id } }), live);
    await append(id, 1);
    await until(() => live.received.length === 1, { what: 'a change in its partition' });
    await appendTo(other, id, 2);
    await until(() => live.received.length === 2, { what: 'a change elsewhere' });
    expect(declared.feeds[0]!.partitionsOf(id)).toEqual([0, 1]);
    await appendTo(other, id, 3);
    for (const [at, expected] of [
      [0, [2, 3, 4]],
      [1, [3, 4, 5]],
    ] as const) {
      const resumed = recorder();
      declared.subscribe(requestFor(field, { args: { id }, cursor: live.received[at]!.cursor }), resumed);
      await appendTo(other, id, at + 4);
      await until(() => resumed.versions().at(-1) === at + 4, { what: 'the newest change', ...long });
      expect(resumed.versions()).toEqual(expected);
    }
  });
});

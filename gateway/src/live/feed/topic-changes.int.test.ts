/** Promise: after a topic was deleted and created again, live changes flow again by themselves, and old cursors say so. */
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import type { EventLog } from '@tidegate/event-log';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { kafkaBrokersFromEnv, override, until } from '@tidegate/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allCounters, counterRecord, HubWorld, recorder, requestFor } from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: a topic that is created again; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('a Kafka topic that is deleted and created again', { timeout: 60_000 }, () => {
  const topicPrefix = `recreated-${process.pid}-${Date.now().toString(36)}.`;
  const admin = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING }).admin();
  let world: HubWorld;
  let log: EventLog;
  let hub: LiveHub;
  let topic: string;

  beforeEach(async () => {
    await admin.connect();
    world = new HubWorld();
    log = createKafkaEventLog({
      brokers: brokers!,
      clientId: 'test',
      logger: silentLogger,
      topicPrefix,
      groupPrefix: topicPrefix,
    });
  });
  afterEach(async () => {
    await hub.stop();
    await world[Symbol.asyncDispose]();
    await log.close();
    await admin.deleteTopics({ topics: [topicPrefix + topic] });
    await admin.disconnect();
  });

  async function start(partitions: number): Promise<void> {
    ({ topic } = { topic: allCounters.stream.definition.topic.name });
    await log.ensureTopics([{ name: topic, partitions, cleanup: 'compact', retentionMs: 1e9 }]);
    // The world starts hubs on its log; this one is Kafka.
    hub = await world.startHub({ log: override(log, {}) });
  }

  const flows = (): boolean => {
    try {
      hub.checkFlow();
      return true;
    } catch {
      return false;
    }
  };

  it.each([2, 3])(
    'ends running subscriptions with CURSOR_EXPIRED and serves new ones, with %i partitions',
    async (partitions) => {
      await start(2);
      const before = recorder();
      hub.subscribe(requestFor(allCounters), before);
      for (const version of [1, 2, 3]) await log.append(topic, [counterRecord('a', version)]);
      await until(() => before.received.length === 3, { what: 'three changes' });
      await admin.deleteTopics({ topics: [topicPrefix + topic] });
      await until(async () => !(await admin.listTopics()).includes(topicPrefix + topic), {
        what: 'no topic',
      });
      await log.ensureTopics([{ name: topic, partitions, cleanup: 'compact', retentionMs: 1e9 }]);
      await until(() => before.failure, { what: 'the end of the subscription', timeoutMs: 20_000 });
      expect(before.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
      await until(flows, { what: 'the tail runs again', timeoutMs: 20_000 });
      const after = recorder();
      hub.subscribe(requestFor(allCounters), after);
      const stale = recorder();
      hub.subscribe(requestFor(allCounters, { cursor: before.received[2]!.cursor }), stale);
      for (const version of [1, 2]) await log.append(topic, [counterRecord('b', version)]);
      await until(() => after.received.length === 2, { what: 'changes of the new topic' });
      expect(after.versions()).toEqual([1, 2]);
      expect(stale.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
    },
  );
});

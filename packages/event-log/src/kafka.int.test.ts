import { silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { kafkaBrokersFromEnv, until } from '@tidegate/testing';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { describeEventLog } from './conformance.ts';
import { silenceNegativeTimeoutOfKafkajs } from './kafka/silence-negative-timeout.ts';
import { createKafkaEventLog } from './kafka.ts';

const brokers = kafkaBrokersFromEnv();
if (!brokers) console.warn('SKIPPED: the event log on Kafka; KAFKA_BROKERS is not set');

describe.skipIf(!brokers)('with KAFKA_BROKERS', () => {
  describeEventLog('Kafka', async () => {
    silenceNegativeTimeoutOfKafkajs();
    const admin = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return {
      open: async () =>
        createKafkaEventLog({ brokers: brokers ?? [], clientId: 'conformance', logger: silentLogger }),
      async deleteBefore(topic, partition, offset) {
        // kafkajs looks for the leader without loading the topic's metadata; a new topic may have no leader yet.
        await until(() => admin.fetchTopicOffsets(topic), { what: 'the topic has leaders' });
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
      },
      async dispose(prefix) {
        const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
        if (topics.length > 0) await admin.deleteTopics({ topics });
        const { groups } = await admin.listGroups();
        const left = groups.map(({ groupId }) => groupId).filter((name) => name.startsWith(prefix));
        if (left.length > 0) await admin.deleteGroups(left);
        await admin.disconnect();
      },
    };
  });

  it('logs no warning when several processes create the same topics at once', async () => {
    const names = ['a', 'b', 'c'].map((end) => `at-once-${process.pid}-${Date.now().toString(36)}-${end}`);
    const warnings: unknown[] = [];
    const raced: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      debug: (entry: object) => void raced.push(entry),
      warn: (...entry: unknown[]) => void warnings.push(entry),
    };
    const logs = Array.from({ length: 6 }, () =>
      createKafkaEventLog({ brokers: brokers ?? [], clientId: 'at-once', logger }),
    );
    try {
      const specs = names.map(
        (name) => ({ name, partitions: 1, cleanup: 'delete', retentionMs: 60_000 }) as const,
      );
      await Promise.all(logs.map((log) => log.ensureTopics(specs)));
      expect(raced).toContainEqual(expect.objectContaining({ error: 'Topic creation errors' }));
      expect(warnings).toEqual([]);
    } finally {
      await Promise.all(logs.map((log) => log.close()));
      const admin = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: names });
      await admin.disconnect();
    }
  });
});

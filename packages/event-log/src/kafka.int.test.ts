import { silentLogger } from '@tidegate/telemetry';
import { kafkaBrokersFromEnv, until } from '@tidegate/testing';
import { Kafka, logLevel } from 'kafkajs';
import { describe } from 'vitest';
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
        // kafkajs forgets to load the topic's metadata before it looks for the leader, which a topic just created
        // may not have yet.
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
});

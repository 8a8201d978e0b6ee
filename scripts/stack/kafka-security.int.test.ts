import { silentLogger } from '@tidegate/runtime/telemetry';
import { parseConfig } from '@tidegate/runtime/config';
import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings } from '@tidegate/event-log/kafka';
import { freePorts, kafkaLibsFromEnv, temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { stopDaemon } from './daemon.ts';
import { createKafkaBackend } from './kafka.ts';
import { kafkaSecurity, securityVariables } from './kafka-security.ts';
import { untilReady } from './stack.ts';

const libs = kafkaLibsFromEnv();
if (!libs) console.warn('SKIPPED: the stack with a secured Kafka; KAFKA_LIBS is not set');

describe.skipIf(!libs)('the stack with STACK_KAFKA_SECURITY=sasl_ssl', { timeout: 90_000 }, () => {
  it('has a broker that takes its variables, and nobody without them', async () => {
    await using directory = await temporaryDirectory();
    const [broker, controller] = (await freePorts(2)) as [number, number];
    const security = await kafkaSecurity(directory.path);
    const kafka = createKafkaBackend(directory.path, { broker, controller }, libs!, security);
    await kafka.start();
    try {
      await untilReady(kafka);
      const open = (variables: Record<string, string>) => {
        const address = { KAFKA_BROKERS: `127.0.0.1:${broker}` };
        const options = kafkaOptionsFrom(parseConfig(kafkaSettings, { ...address, ...variables }));
        return createKafkaEventLog({ clientId: 'test', logger: silentLogger, ...options });
      };
      const log = open(securityVariables(security));
      await log.ensureTopics([{ name: 'trips', partitions: 1, cleanup: 'delete', retentionMs: 1e6 }]);
      expect(await log.append('trips', [{ key: 'a', value: null, headers: {} }])).toHaveLength(1);
      await log.close();
      const { KAFKA_CA_FILE = '' } = securityVariables(security);
      for (const variables of [{}, { KAFKA_CA_FILE }]) {
        const refused = open(variables);
        await expect(refused.ping(3_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await refused.close();
      }
    } finally {
      await stopDaemon(kafka.pidFile, 'SIGKILL');
    }
  });

  it('keeps its certificates and password', async () => {
    await using directory = await temporaryDirectory();
    expect(await kafkaSecurity(directory.path)).toEqual(await kafkaSecurity(directory.path));
  });
});

import { deadLetterTopic } from '@tidegate/core';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { topics } from '@order-platform/contracts';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { placeOrder, productIds, watchWebSocket, webSocketClient } from '../harness/graphql.ts';
import {
  realStackFromEnv,
  startEmbedded,
  startOnStack,
  type RunningPlatform,
} from '../harness/running-platform.ts';

const stackEnv = realStackFromEnv();

async function startWithLog(where: string): Promise<{ platform: RunningPlatform; log: EventLog }> {
  if (where === 'the embedded default') {
    const platform = await startEmbedded();
    const log = createSqliteEventLog({
      path: join(platform.dataDir, 'event-log.sqlite'),
      logger: silentLogger,
    });
    return { platform, log };
  }
  const platform = await startOnStack(stackEnv!);
  const brokers = stackEnv!['KAFKA_BROKERS']!.split(',');
  return { platform, log: createKafkaEventLog({ brokers, clientId: 'test', logger: silentLogger }) };
}

async function deadLetters(log: EventLog): Promise<LogRecord[]> {
  const topic = deadLetterTopic.name;
  const found: LogRecord[] = [];
  for (const { partition, start, end } of await log.ends(topic)) {
    if (end > start)
      found.push(
        ...(await log.read({ topic, partition, fromOffset: start, toOffset: end, maxRecords: 10_000 })),
      );
  }
  return found;
}

for (const [where, skip] of [
  ['the embedded default', false],
  ['Kafka, Postgres and Redis', stackEnv === undefined],
] as const) {
  describe.skipIf(skip)(`a foreign or malformed record on a topic of ${where}`, () => {
    it('goes to the dead letters with a reason and blocks nothing', async () => {
      const { platform, log } = await startWithLog(where);
      const client = webSocketClient(
        `${platform.webUrl}/graphql/web`,
        await platform.token('operator-1', 'operator'),
      );
      try {
        await until(async () => (await productIds(platform.webUrl)).length === 40, {
          what: 'the catalogue',
          timeoutMs: 30_000,
        });
        const watch = watchWebSocket(client, { query: 'subscription { orders { id status } }' });
        // One of each kind on every partition, so that each consumer meets them before the orders placed next.
        const keys = Array.from({ length: 30 }, () => `foreign-${randomUUID()}`);
        const notJson = keys.map((key) => ({
          key,
          value: Buffer.from('{"half":'),
          headers: { 'content-type': 'application/json' },
        }));
        const unknownType = keys.map((key) => ({
          key,
          value: Buffer.from('{}'),
          headers: {
            ce_specversion: '1.0',
            ce_id: randomUUID(),
            ce_source: '/elsewhere',
            ce_type: 'com.example.Elsewhere',
            ce_time: new Date().toISOString(),
            ce_subject: key,
            ce_dataversion: '1',
            ce_sequence: '1',
          },
        }));
        for (const topic of [topics.orderEvents, topics.reservationEvents, topics.orderDocuments]) {
          await log.append(topic.name, [...notJson, ...unknownType]);
        }

        const customer = await platform.token('customer-1', 'customer');
        const [productId] = await productIds(platform.webUrl);
        const placed: string[] = [];
        for (let count = 0; count < 12; count++) {
          placed.push(
            (await placeOrder(platform.webUrl, customer, [{ productId: productId!, quantity: 1 }])).orderId,
          );
        }
        const delivered = (): boolean =>
          placed.every((id) =>
            watch.seen.some(
              ({ key, data }) =>
                key === id && (data as { orders?: { status: string } }).orders?.status === 'DELIVERED',
            ),
          );
        await until(delivered, { what: 'every order behind them to be delivered', timeoutMs: 40_000 });

        const letters = (await deadLetters(log)).filter(({ key }) => keys.includes(key));
        expect(letters.length).toBeGreaterThan(0);
        const reasons = new Set(letters.map(({ headers }) => headers['dl_reason']?.split(':')[0]));
        expect([...reasons].join('\n')).toMatch(/not a CloudEvents 1\.0 record/);
        expect([...reasons].join('\n')).toMatch(/nobody here knows the type "com\.example\.Elsewhere"/);
        for (const letter of letters) expect(letter.headers['dl_topic']).toBeTruthy();
        watch.stop();
      } finally {
        await client.dispose();
        await log.close();
        await platform[Symbol.asyncDispose]();
      }
    });
  });
}

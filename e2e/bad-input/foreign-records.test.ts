/** Promise: a foreign or malformed record goes to the dead letters with a reason and blocks no consumer. */
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
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import {
  realStackFromEnv,
  startEmbedded,
  startOnStack,
  type RunningPlatform,
} from '../harness/running-platform.ts';
import { expectOperable } from './operate-dead-letters.ts';
import { watchWebSocket, webSocketClient, type Watch } from '../harness/watch.ts';

const stackEnv = realStackFromEnv();

interface PlatformWithLog {
  readonly platform: RunningPlatform;
  /** A second client of the platform's log. */
  readonly log: EventLog;
  /** Variables by which `npm run dead-letters` finds the log. */
  readonly env: Readonly<Record<string, string>>;
}

const deployments = [
  { name: 'the embedded default', start: startEmbeddedWithLog, skip: false },
  { name: 'Kafka, Postgres and Redis', start: startOnStackWithLog, skip: stackEnv === undefined },
];

for (const { name, start, skip } of deployments) {
  describe.skipIf(skip)(`a foreign or malformed record on a topic of ${name}`, () => {
    it('goes to the dead letters with a reason, blocks no consumer, and is left to the operator', async () => {
      const { platform, log, env } = await start();
      const operator = await platform.token('operator-1', 'operator');
      const client = webSocketClient(`${platform.webUrl}/graphql/web`, operator);
      try {
        const [productId] = await waitForCatalogue(platform.webUrl);
        const watch = watchWebSocket(client, { query: 'subscription { orders { id status } }' });
        // Enough keys that every partition gets records of both kinds before the orders placed next.
        const keys = Array.from({ length: 30 }, () => `foreign-${randomUUID()}`);
        for (const topic of [topics.orderEvents, topics.reservationEvents, topics.orderDocuments]) {
          await log.append(topic.name, [...keys.map(notJson), ...keys.map(ofUnknownType)]);
        }
        const placed = await placeOrders(platform, productId!, 12);
        await until(() => placed.every((id) => isDelivered(watch, id)), {
          what: 'every order behind them to be delivered',
          timeoutMs: 40_000,
        });
        expectDeadLetters((await deadLetters(log)).filter(({ key }) => keys.includes(key)));
        watch.stop();
        await expectOperable(env, keys);
      } finally {
        await client.dispose();
        await log.close();
        await platform[Symbol.asyncDispose]();
      }
    });
  });
}

async function startEmbeddedWithLog(): Promise<PlatformWithLog> {
  const platform = await startEmbedded();
  const path = join(platform.dataDir, 'event-log.sqlite');
  const env = { DATA_DIR: platform.dataDir };
  return { platform, env, log: createSqliteEventLog({ path, logger: silentLogger }) };
}

async function startOnStackWithLog(): Promise<PlatformWithLog> {
  const platform = await startOnStack(stackEnv!);
  const brokers = stackEnv!['KAFKA_BROKERS']!.split(',');
  const env = { KAFKA_BROKERS: brokers.join(',') };
  return { platform, env, log: createKafkaEventLog({ brokers, clientId: 'test', logger: silentLogger }) };
}

function notJson(key: string) {
  return { key, value: Buffer.from('{"half":'), headers: { 'content-type': 'application/json' } };
}

function ofUnknownType(key: string) {
  return {
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
  };
}

async function placeOrders(platform: RunningPlatform, productId: string, count: number): Promise<string[]> {
  const customer = await platform.token('customer-1', 'customer');
  const placed: string[] = [];
  while (placed.length < count) {
    const { orderId } = await placeOrder(platform.webUrl, customer, [{ productId, quantity: 1 }]);
    placed.push(orderId);
  }
  return placed;
}

function isDelivered(watch: Watch, orderId: string): boolean {
  return watch.messages.some(
    ({ key, data }) =>
      key === orderId && (data as { orders?: { status: string } }).orders?.status === 'DELIVERED',
  );
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

function expectDeadLetters(letters: readonly LogRecord[]): void {
  expect(letters.length).toBeGreaterThan(0);
  const reasons = new Set(letters.map(({ headers }) => headers['dl_reason']?.split(':')[0]));
  expect([...reasons].join('\n')).toMatch(/not a CloudEvents 1\.0 record/);
  expect([...reasons].join('\n')).toMatch(/nobody here knows the type "com\.example\.Elsewhere"/);
  for (const letter of letters) expect(letter.headers['dl_topic']).toBeTruthy();
}

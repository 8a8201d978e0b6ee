/**
 * Latency: from an accepted command to its result at a subscriber, hop by hop, through the whole order platform.
 *
 * Measured on the embedded platform (one process, SQLite) and on the real stack (services, Kafka, Postgres, Redis),
 * with one order at a time and a pause between orders, so that no order waits in a queue.
 *
 * Figures, each with the prefix `embedded.` or `stack.`, as p50 and p99 in ms: `p50Ms`/`p99Ms`, from the event's
 * creation in the service to the subscriber; `fromRequest`, from the client's request to the subscriber; `request`, the
 * command's own response time. The hops add up to the total: `hop1.commitAndRelay` (event committed and relayed to the
 * log), `hop2.consumeAndProject` (read model updated), `hop3.commitAndRelay` (document relayed), `hop4.tailAndFanOut`
 * (gateway to subscriber). The hops show which part a change has made slower. `orders`: number of orders measured.
 */
import { join } from 'node:path';
import { OrderDocumentChanged, OrderPlaced } from '@order-platform/contracts';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { freePorts, until } from '@tidegate/testing';
import { startEmbedded, startOnStack, type RunningPlatform } from '../e2e/harness/running-platform.ts';
import { placeOrder, productIds } from '../e2e/harness/graphql.ts';
import { webSocketClient } from '../e2e/harness/watch.ts';
import { startStack } from '../scripts/stack/stack.ts';
import { percentile } from './percentiles.ts';
import type { Measurement } from './run.ts';

/** Warms up ten processes. */
const WARM_UP_ORDERS = 100;
const ORDERS = 100;
/** Longer than an order takes: the figures contain no time in a queue. */
const PAUSE_MS = 300;

/** Times of one order, in ms since the epoch. */
interface Times {
  readonly requestedMs: number;
  readonly answeredMs: number;
  receivedMs?: number;
}

const now = (): number => performance.timeOrigin + performance.now();

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  log('embedded: starting');
  const embedded = await startEmbedded();
  const figures = await usePlatform(embedded, async () => {
    const path = join(embedded.dataDir, 'event-log.sqlite');
    return measurePlatform(embedded, () => createSqliteEventLog({ path, logger: silentLogger }), 'embedded');
  });

  log('stack: starting Kafka, Postgres and Redis');
  const [kafka = 0, kafkaController = 0, redis = 0, postgres = 0] = await freePorts(4);
  const stack = await startStack({
    ports: { kafka, kafkaController, redis, postgres },
    directory: '.stack/bench',
  });
  try {
    log('stack: starting the services');
    const platform = await startOnStack(stack.env);
    const brokers = stack.env['KAFKA_BROKERS']!.split(',');
    const open = (): EventLog => createKafkaEventLog({ brokers, clientId: 'bench', logger: silentLogger });
    Object.assign(figures, await usePlatform(platform, () => measurePlatform(platform, open, 'stack')));
  } finally {
    await stack.stop({ discard: true });
  }
  return figures;
}

async function usePlatform<T>(platform: RunningPlatform, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    await platform[Symbol.asyncDispose]();
  }
}

async function measurePlatform(
  platform: RunningPlatform,
  openLog: () => EventLog,
  name: string,
): Promise<Record<string, number>> {
  await until(async () => (await productIds(platform.webUrl)).length === 40, {
    what: 'the catalogue',
    timeoutMs: 30_000,
  });
  const times = await placeOrders(platform);
  const log = openLog();
  try {
    const placed = await readTimes(log, OrderPlaced.topic.name, OrderPlaced.type);
    const documents = await readTimes(log, OrderDocumentChanged.topic.name, OrderDocumentChanged.type);
    return figuresOf(name, times, placed, documents);
  } finally {
    await log.close();
  }
}

async function placeOrders(platform: RunningPlatform): Promise<Map<string, Times>> {
  const url = `${platform.webUrl}/graphql/web`;
  const [operator, customer] = [
    await platform.token('operator', 'operator'),
    await platform.token('customer-1', 'customer'),
  ];
  const client = webSocketClient(url, operator);
  const times = new Map<string, Times>();
  const arrivals = new Map<string, number>();
  const stop = client.subscribe(
    { query: 'subscription { orders { id version } }' },
    {
      next: ({ data }) => {
        const { id, version } = (data as { orders: { id: string; version: number } }).orders;
        if (version === 1) arrivals.set(id, now());
      },
      error: (error) => console.error(error),
      complete: () => undefined,
    },
  );
  const products = await productIds(platform.webUrl);
  for (let count = 0; count < WARM_UP_ORDERS + ORDERS; count++) {
    const requestedMs = now();
    const { orderId } = await placeOrder(platform.webUrl, customer, [
      { productId: products[count % products.length]!, quantity: 1 },
    ]);
    if (count >= WARM_UP_ORDERS) times.set(orderId, { requestedMs, answeredMs: now() });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await until(() => [...times.keys()].every((id) => arrivals.has(id)), {
    what: 'the last order to arrive',
    timeoutMs: 20_000,
  });
  for (const [id, each] of times) each.receivedMs = arrivals.get(id)!;
  stop();
  await client.dispose();
  return times;
}

/** Reads the times of the first record of each key: creation from its envelope, append from the log. */
async function readTimes(
  log: EventLog,
  topic: string,
  type: string,
): Promise<Map<string, { createdMs: number; appendedMs: number }>> {
  const found = new Map<string, { createdMs: number; appendedMs: number }>();
  for (const { partition, start, end } of await log.ends(topic)) {
    for (let next = start; next < end;) {
      const records: LogRecord[] = await log.read({
        topic,
        partition,
        fromOffset: next,
        toOffset: end,
        maxRecords: 500,
      });
      for (const { key, headers, timestampMs } of records) {
        if (headers['ce_type'] !== type || headers['ce_sequence'] !== '1') continue;
        if (!found.has(key))
          found.set(key, { createdMs: Date.parse(headers['ce_time']!), appendedMs: timestampMs });
      }
      next = (records.at(-1)?.offset ?? end) + 1;
    }
  }
  return found;
}

function figuresOf(
  name: string,
  times: ReadonlyMap<string, Times>,
  placed: ReadonlyMap<string, { createdMs: number; appendedMs: number }>,
  documents: ReadonlyMap<string, { createdMs: number; appendedMs: number }>,
): Record<string, number> {
  const samples: Record<string, number[]> = {
    total: [],
    fromRequest: [],
    request: [],
    'hop1.commitAndRelay': [],
    'hop2.consumeAndProject': [],
    'hop3.commitAndRelay': [],
    'hop4.tailAndFanOut': [],
  };
  for (const [orderId, { requestedMs, answeredMs, receivedMs }] of times) {
    const event = placed.get(orderId)!;
    const document = documents.get(orderId)!;
    samples['total']!.push(receivedMs! - event.createdMs);
    samples['fromRequest']!.push(receivedMs! - requestedMs);
    samples['request']!.push(answeredMs - requestedMs);
    samples['hop1.commitAndRelay']!.push(event.appendedMs - event.createdMs);
    samples['hop2.consumeAndProject']!.push(document.createdMs - event.appendedMs);
    samples['hop3.commitAndRelay']!.push(document.appendedMs - document.createdMs);
    samples['hop4.tailAndFanOut']!.push(receivedMs! - document.appendedMs);
  }
  const figures: Record<string, number> = {
    [`${name}.orders`]: times.size,
    [`${name}.p50Ms`]: percentile(samples['total']!, 0.5),
    [`${name}.p99Ms`]: percentile(samples['total']!, 0.99),
  };
  for (const [hop, values] of Object.entries(samples)) {
    if (hop === 'total') continue;
    figures[`${name}.${hop}.p50Ms`] = percentile(values, 0.5);
    figures[`${name}.${hop}.p99Ms`] = percentile(values, 0.99);
  }
  return figures;
}

const latency: Measurement = {
  description:
    'latency from an accepted command to the subscriber, hop by hop, embedded and on the real stack',
  measure,
};
export default latency;

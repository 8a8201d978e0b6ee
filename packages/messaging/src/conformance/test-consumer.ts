import { CounterRaised, sampleTopics } from '@tidegate/testing/sample-messages';
import { encodeEnvelope } from '@tidegate/core';
import type { OutgoingRecord } from '@tidegate/event-log';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { startConsumer, type Consumer, type ConsumerOptions } from '../consumer/consumer.ts';
import { counterRaised, increment, type Fixture } from './subject.ts';

export const topic = sampleTopics.counterEvents.name;
export const definitions = [CounterRaised] as const;

type Options = ConsumerOptions<typeof definitions>;

/** Starts a consumer that counts handled messages per key in the database, so that a duplicate shows. */
export function startCounting({ database, log }: Fixture, options: Partial<Options> = {}): Promise<Consumer> {
  return startConsumer({
    database,
    log,
    logger: silentLogger,
    group: 'counting',
    definitions,
    handle: (message, unit) => increment(unit, message.subject),
    ...options,
  });
}

/** Number of handled messages by key. */
export async function readCounts({ database }: Fixture): Promise<Record<string, number>> {
  const rows = await database.query.selectFrom('aggregates').selectAll().execute();
  return Object.fromEntries(rows.map((row) => [row.id, row.version]));
}

export function recordOf(key: string, sequence = 1): OutgoingRecord {
  return encodeEnvelope(counterRaised(key, sequence));
}

export async function append({ log }: Fixture, records: readonly OutgoingRecord[]): Promise<void> {
  await log.append(topic, records);
}

/** Resolves when the group has acknowledged every record of the topic. */
export async function untilCaughtUp({ log }: Fixture, group = 'counting'): Promise<void> {
  await until(
    async () => {
      const lags = await log.lag(group, topic);
      return lags.length > 0 && lags.every(({ lag }) => lag === 0);
    },
    { what: `${group} has acknowledged everything` },
  );
}

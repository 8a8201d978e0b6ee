import type { EventLog } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { PARTITIONS, TickChanged, tickRecord } from './bench-bff.ts';
import { TickSource, type TicksWanted } from './workload.ts';

/** Where ticks are appended and tailed: a SQLite file, or real Kafka. */
export type TickLogPlace = { readonly path: string } | { readonly brokers: readonly string[] };

/** The log with its topic. */
export async function openTickLog(place: TickLogPlace): Promise<EventLog> {
  const logger = silentLogger;
  const log =
    'path' in place
      ? createSqliteEventLog({ path: place.path, logger })
      : createKafkaEventLog({ brokers: [...place.brokers], clientId: 'bench', logger });
  const { name, cleanup, retentionMs } = TickChanged.topic;
  await log.ensureTopics([{ name, partitions: PARTITIONS, cleanup, retentionMs }]);
  return log;
}

/** Appends ticks to a log: the write side of the measurement. One per log, as it counts the versions. */
export class TickWriter {
  readonly #log: EventLog;
  readonly #source: TickSource;

  constructor(log: EventLog, place: TickLogPlace) {
    this.#log = log;
    // A broker outlives a run, a file does not: what is written again would be taken for a repeat.
    this.#source = new TickSource('path' in place ? '' : `${Date.now().toString(36)}.`);
  }

  /** Resolves when they are durable. */
  async append(wanted: TicksWanted): Promise<void> {
    await this.#log.append(TickChanged.topic.name, this.#source.make(wanted).map(tickRecord));
  }
}

import type { EventLog } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { PARTITIONS, TickChanged, tickRecord } from './bench-bff.ts';
import { TickSource, type TickRequest } from './workload.ts';

/** Location of the tick log: a SQLite file or Kafka. */
export type TickLogPlace = { readonly path: string } | { readonly brokers: readonly string[] };

/** Opens the log and ensures its topic. */
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

/** Appends ticks to a log. Use one writer per log, because it counts the versions. */
export class TickWriter {
  readonly #log: EventLog;
  readonly #source: TickSource;

  constructor(log: EventLog, place: TickLogPlace) {
    this.#log = log;
    // A broker keeps the ticks of earlier runs: without a prefix new ones would be dropped as repeats.
    this.#source = new TickSource('path' in place ? '' : `${Date.now().toString(36)}.`);
  }

  /** Resolves when the ticks are durable. */
  async append(request: TickRequest): Promise<void> {
    await this.#log.append(TickChanged.topic.name, this.#source.make(request).map(tickRecord));
  }
}

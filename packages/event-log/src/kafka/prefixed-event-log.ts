import { TidegateError } from '@tidegate/core';
import type {
  ConsumeOptions,
  Consumption,
  EventLog,
  LogRecord,
  OutgoingRecord,
  PartitionEnds,
  PartitionLag,
  PartitionOffset,
  Position,
  ReadOptions,
  Tail,
  TailOptions,
  TopicSpec,
} from '../event-log.ts';

export interface NamePrefixes {
  /** Put in front of the name of every topic. Default: none. */
  readonly topicPrefix?: string | undefined;
  /** Put in front of the name of every group. Default: none. */
  readonly groupPrefix?: string | undefined;
}

const allowed = /^[a-zA-Z0-9._-]{0,100}$/;

/**
 * Returns the log under names with prefixes, for several installations on one cluster. Its callers see the names without;
 * errors name the topics as the brokers know them.
 *
 * @throws TidegateError CONFIG_INVALID for a prefix that Kafka does not take.
 */
export function withPrefixes(log: EventLog, { topicPrefix = '', groupPrefix = '' }: NamePrefixes): EventLog {
  for (const prefix of [topicPrefix, groupPrefix]) {
    if (allowed.test(prefix)) continue;
    throw new TidegateError(
      'CONFIG_INVALID',
      `The prefix ${JSON.stringify(prefix)} of Kafka's topics or groups may have up to 100 letters, digits, dots, dashes and underscores.`,
    );
  }
  return topicPrefix === '' && groupPrefix === '' ? log : new PrefixedEventLog(log, topicPrefix, groupPrefix);
}

class PrefixedEventLog implements EventLog {
  readonly #log: EventLog;
  readonly #topicPrefix: string;
  readonly #groupPrefix: string;

  constructor(log: EventLog, topicPrefix: string, groupPrefix: string) {
    this.#log = log;
    this.#topicPrefix = topicPrefix;
    this.#groupPrefix = groupPrefix;
  }

  epoch(topic: string): Promise<string> {
    return this.#log.epoch(this.#outside(topic));
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.#log.ensureTopics(topics.map((spec) => ({ ...spec, name: this.#outside(spec.name) })));
  }

  async append(topic: string, records: readonly OutgoingRecord[]): Promise<Position[]> {
    const positions = await this.#log.append(this.#outside(topic), records);
    return positions.map(this.#inside);
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    return this.#log.consume({
      ...options,
      group: this.#groupPrefix + options.group,
      topics: options.topics.map((topic) => this.#outside(topic)),
      handler: (batch) =>
        options.handler({ ...this.#inside(batch), records: batch.records.map(this.#inside) }),
    });
  }

  async tail(options: TailOptions): Promise<Tail> {
    const { from, onRecords, onPosition, onPartitions } = options;
    const tail = await this.#log.tail({
      ...options,
      topics: options.topics.map((topic) => this.#outside(topic)),
      from:
        typeof from === 'object' && 'positions' in from
          ? { positions: from.positions.map((each) => ({ ...each, topic: this.#outside(each.topic) })) }
          : from,
      onRecords: (records) => onRecords(records.map(this.#inside)),
      ...(onPosition && { onPosition: (position) => onPosition(this.#inside(position)) }),
      ...(onPartitions && {
        onPartitions: (topic, partitions) => onPartitions(this.#inside({ topic }).topic, partitions),
      }),
    });
    return { startedAt: tail.startedAt.map(this.#inside), stop: () => tail.stop() };
  }

  async read(options: ReadOptions): Promise<LogRecord[]> {
    const records = await this.#log.read({ ...options, topic: this.#outside(options.topic) });
    return records.map(this.#inside);
  }

  ends(topic: string): Promise<PartitionEnds[]> {
    return this.#log.ends(this.#outside(topic));
  }

  offsetsAt(topic: string, timeMs: number): Promise<PartitionOffset[]> {
    return this.#log.offsetsAt(this.#outside(topic), timeMs);
  }

  keptMs(topic: string): Promise<number | undefined> {
    return this.#log.keptMs(this.#outside(topic));
  }

  lag(group: string, topic: string): Promise<PartitionLag[]> {
    return this.#log.lag(this.#groupPrefix + group, this.#outside(topic));
  }

  ping(timeoutMs: number): Promise<void> {
    return this.#log.ping(timeoutMs);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #outside(topic: string): string {
    return this.#topicPrefix + topic;
  }

  readonly #inside = <T extends { readonly topic: string }>(located: T): T => ({
    ...located,
    topic: located.topic.slice(this.#topicPrefix.length),
  });
}

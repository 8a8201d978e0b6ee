import type { LogRecord } from '../event-log.ts';

/** The group-less reading side of Kafka; `platformatic-kafka.ts` makes it from the vendor's API. */
export interface FetchClient {
  clusterId(): Promise<string>;
  brokerCount(): Promise<number>;
  /** Asks the cluster, not a cache. @throws TidegateError NOT_FOUND, UNAVAILABLE */
  topic(name: string): Promise<TopicMetadata>;
  /** By partition; a time gives -1 where no record is that young. */
  offsets(topic: string, at: 'start' | 'end' | { readonly timeMs: number }): Promise<number[]>;
  /**
   * Waits up to `maxWaitMs` for records of partitions led by one broker. One call at a time: the broker keeps a
   * session for the connection.
   */
  fetch(brokerId: number, partitions: readonly FetchRequest[], maxWaitMs: number): Promise<Fetched[]>;
  /** True when a fetch failed because the log does not hold an asked offset. */
  isOutOfRange(error: unknown): boolean;
  close(): Promise<void>;
}

export interface TopicMetadata {
  readonly name: string;
  /** Kafka's own id: another one after the topic was deleted and created again. */
  readonly id: string;
  readonly partitions: readonly { readonly leader: number; readonly leaderEpoch: number }[];
}

export interface FetchRequest {
  readonly topic: TopicMetadata;
  readonly partition: number;
  readonly offset: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly records: LogRecord[];
  readonly nextOffset: number;
}

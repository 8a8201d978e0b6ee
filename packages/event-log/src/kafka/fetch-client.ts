import type { LogRecord } from '../event-log.ts';

/** Kafka's metadata and records, read without a group; `platformatic-kafka.ts` implements it on the vendor's API. */
export interface FetchClient {
  clusterId(): Promise<string>;
  brokerCount(): Promise<number>;
  /** Asks the cluster, not a cache. @throws TidegateError NOT_FOUND, UNAVAILABLE */
  topic(name: string): Promise<TopicMetadata>;
  /** Offsets by partition; a time gives -1 when no record is at or after it. */
  offsets(topic: string, at: OffsetQuery): Promise<number[]>;
  /**
   * Waits up to `maxWaitMs` for records of partitions that one broker leads. One call at a time: the broker keeps one
   * fetch session a connection.
   */
  fetch(brokerId: number, partitions: readonly FetchRequest[], maxWaitMs: number): Promise<Fetched[]>;
  /** True when a fetch failed because the log does not hold a requested offset. */
  isOutOfRange(error: unknown): boolean;
  close(): Promise<void>;
}

export type OffsetQuery = 'start' | 'end' | { readonly timeMs: number };

export interface TopicMetadata {
  readonly name: string;
  /** Kafka's topic id; a topic that is deleted and created again gets another one. */
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

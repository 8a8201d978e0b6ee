import type { OutgoingRecord, TopicSpec } from '../event-log.ts';
import type { GroupClient } from './group-client.ts';

/** Kafka's producer, admin and groups; `kafka.ts` implements it on the vendor's API. */
export interface WriteClient {
  /** Resolves, when all records are durable, with the offset of the first record of each partition. */
  send(topic: string, records: readonly PartitionedRecord[]): Promise<ReadonlyMap<number, number>>;
  /** Creates missing topics; an existing one is left as it is. */
  createTopics(specs: readonly TopicSpec[], replicationFactor: number): Promise<void>;
  /** Values of a topic's configuration by their names; undefined when this client may not read them. */
  configOf(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string> | undefined>;
  /** The group's next offset by partition; -1 where it has acknowledged nothing. */
  acknowledged(group: string, topic: string): Promise<ReadonlyMap<number, number>>;
  createGroupClient(group: string): GroupClient;
  close(): Promise<void>;
}

export interface PartitionedRecord {
  readonly partition: number;
  readonly record: OutgoingRecord;
}

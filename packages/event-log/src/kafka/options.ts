import type { Logger } from '@tidegate/runtime/telemetry';
import type { Compression } from './compression.ts';
import type { NamePrefixes } from './prefixed-event-log.ts';
import type { KafkaSecurity } from './security.ts';

export interface KafkaEventLogOptions extends KafkaSecurity, NamePrefixes {
  /** Bootstrap addresses, `host:port`. */
  readonly brokers: readonly string[];
  /** Name of this process in the brokers' logs and quotas. */
  readonly clientId: string;
  readonly logger: Logger;
  /** False: a missing topic is an error, not created. Default true. */
  readonly createTopics?: boolean;
  /** Codec of produced batches. Batches in every codec are read. Default 'none'. */
  readonly compression?: Compression;
  /** Rack or zone of this process. Groups read from a replica there, when the brokers allow it. Default: from leaders. */
  readonly rack?: string | undefined;
  /** Replicas of topics that this log creates. Default: 3, or the number of brokers if that is smaller. */
  readonly replicationFactor?: number;
  /** Maximum size of one record in bytes. Default 1,000,000: below the brokers' own default limit. */
  readonly maxRecordBytes?: number;
  /**
   * Age in milliseconds at which topics are looked at again: added partitions are followed, consumed and appended to, and
   * a topic that was created again is noticed. Default 10,000.
   */
  readonly metadataMaxAgeMs?: number;
  /** Time without an answer, in milliseconds, after which a request has failed. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** Time without a heartbeat, in milliseconds, after which a group member loses its partitions. Default 10,000. */
  readonly sessionTimeoutMs?: number;
}

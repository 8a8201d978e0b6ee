import type { GroupBatch, GroupMessage } from './group-client.ts';

/** The members of kafkajs's `EachBatchPayload` that a group batch uses. */
export interface BatchPayload {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly messages: readonly GroupMessage[];
  };
  isRunning(): boolean;
  isStale(): boolean;
  resolveOffset(offset: string): void;
  commitOffsetsIfNecessary(offsets: CommittedOffsets): Promise<void>;
  heartbeat(): Promise<void>;
}

interface CommittedOffsets {
  topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
}

export function toGroupBatch(payload: BatchPayload): GroupBatch {
  const { topic, partition, messages } = payload.batch;
  return {
    topic,
    partition,
    messages,
    isCurrent: () => payload.isRunning() && !payload.isStale(),
    async acknowledge(last) {
      const offset = String(Number(last.offset) + 1);
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
      // Resolves only after the commit. If a commit failed after it, kafkajs would fetch on and the batch would stay
      // unacknowledged until the next record. Also passes the offsets that compaction or a transaction left without a
      // record after the last one.
      payload.resolveOffset(last.offset);
      await payload.heartbeat();
    },
  };
}

import type { Assignment, GroupBatch, GroupClient } from './group-client.ts';
import { PartitionConsumer, type PartitionConsumerContext } from './partition-consumer.ts';

/** The partitions that the group has assigned to this member. */
export class OwnedPartitions {
  readonly #client: GroupClient;
  readonly #context: PartitionConsumerContext;
  readonly #partitions = new Map<string, PartitionConsumer>();
  #memberId: string | undefined;

  constructor(client: GroupClient, context: PartitionConsumerContext) {
    this.#client = client;
    this.#context = context;
  }

  handle(batch: GroupBatch): Promise<void> {
    return this.#partition(batch.topic, batch.partition).handle(batch);
  }

  /** Loses the partitions that the new assignment has taken away. */
  assign(memberId: string, assignment: Assignment): void {
    // With another id the group had evicted this member and assigned its partitions to others in between.
    if (this.#memberId !== undefined && this.#memberId !== memberId) this.loseAll();
    this.#memberId = memberId;
    for (const partition of this.#partitions.values()) {
      if (!assignment[partition.topic]?.includes(partition.partition)) partition.lose();
    }
  }

  loseAll(): void {
    for (const partition of this.#partitions.values()) partition.lose();
  }

  /** Resolves when no handler is running. */
  async idle(): Promise<void> {
    for (;;) {
      const running = [...this.#partitions.values()].flatMap(({ running }) => running ?? []);
      if (running.length === 0) return;
      await Promise.allSettled(running);
    }
  }

  /** A lost partition that is assigned again starts afresh, unless its handler is still running. */
  #partition(topic: string, partition: number): PartitionConsumer {
    const name = `${topic}/${partition}`;
    const found = this.#partitions.get(name);
    if (found && (found.running || !found.isLost)) return found;
    const created = new PartitionConsumer(this.#client, topic, partition, this.#context);
    this.#partitions.set(name, created);
    return created;
  }
}

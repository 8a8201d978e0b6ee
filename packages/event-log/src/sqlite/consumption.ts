import type { ConsumeOptions, Consumption } from '../event-log.ts';
import { toError } from '../handle-until-resolved.ts';
import { createMemberId, forgetMember } from './member-id.ts';
import { PartitionConsumer, type PartitionConsumerDependencies } from './partition-consumer.ts';
import type { StoredTopic } from './topic-store.ts';

export interface ConsumptionDependencies extends PartitionConsumerDependencies {
  /**
   * Rebalances each member that runs in this process's log. Called when one joins or leaves, so that none of them
   * waits for its next heartbeat.
   */
  readonly localRebalances: Set<() => void>;
  readonly heartbeatMs: number;
}

/** One member of a group: runs a consumer for each partition that is leased to it. */
export class SqliteConsumption implements Consumption {
  readonly #dependencies: ConsumptionDependencies;
  readonly #topics: readonly StoredTopic[];
  readonly #options: ConsumeOptions;
  readonly #member = createMemberId();
  readonly #partitions = new Map<string, PartitionConsumer>();
  readonly #handingOver = new Map<string, Promise<void>>();
  readonly #rebalance = (): void => this.#rebalanceAll();
  #heartbeat: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    dependencies: ConsumptionDependencies,
    topics: readonly StoredTopic[],
    options: ConsumeOptions,
  ) {
    this.#dependencies = dependencies;
    this.#topics = topics;
    this.#options = options;
  }

  start(): this {
    const { localRebalances, heartbeatMs } = this.#dependencies;
    localRebalances.add(this.#rebalance);
    this.#heartbeat = setInterval(this.#rebalance, heartbeatMs).unref();
    this.#rebalanceAll();
    this.#rebalanceOthers();
    return this;
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#leave());
  }

  async #leave(): Promise<void> {
    const { groups, localRebalances } = this.#dependencies;
    clearInterval(this.#heartbeat);
    localRebalances.delete(this.#rebalance);
    await Promise.all([...this.#partitions.values()].map((consumer) => consumer.stop()));
    await Promise.all(this.#handingOver.values());
    for (const topic of this.#topics) groups.leave(this.#options.group, topic, this.#member);
    forgetMember(this.#member);
    this.#rebalanceOthers();
  }

  #rebalanceAll(): void {
    if (this.#stopping) return;
    try {
      for (const topic of this.#topics) this.#rebalanceTopic(topic);
    } catch (error) {
      this.#options.onError?.(toError(error));
    }
  }

  #rebalanceOthers(): void {
    for (const rebalance of this.#dependencies.localRebalances) {
      if (rebalance !== this.#rebalance) rebalance();
    }
  }

  #rebalanceTopic(topic: StoredTopic): void {
    const { groups } = this.#dependencies;
    const { held, surplus } = groups.rebalance(this.#options.group, topic, this.#member);
    for (let partition = 0; partition < topic.partitions; partition++) {
      const keeps = held.has(partition) && !surplus.has(partition);
      const consumer = this.#partitions.get(`${topic.name}/${partition}`);
      // A consumer that found its lease lost has ended, also when the lease has come back since.
      if (consumer && (!keeps || consumer.ended)) this.#handOver(topic, partition, consumer);
      if (!consumer && keeps) this.#startPartition(topic, partition);
    }
  }

  #startPartition(topic: StoredTopic, partition: number): void {
    const place = { topic, partition, member: this.#member };
    const consumer = new PartitionConsumer(this.#dependencies, place, this.#options);
    this.#partitions.set(`${topic.name}/${partition}`, consumer.start());
  }

  /** Releases the lease after the handler is done, so that two members never handle one partition at a time. */
  #handOver(topic: StoredTopic, partition: number, consumer: PartitionConsumer): void {
    const name = `${topic.name}/${partition}`;
    if (this.#handingOver.has(name)) return;
    const handOver = consumer.stop().then(() => {
      this.#partitions.delete(name);
      this.#handingOver.delete(name);
      if (!this.#stopping) this.#release(topic, partition);
    });
    this.#handingOver.set(name, handOver);
  }

  #release(topic: StoredTopic, partition: number): void {
    try {
      this.#dependencies.groups.release(this.#options.group, topic, partition, this.#member);
      this.#rebalanceOthers();
    } catch (error) {
      // The lease stays: the next rebalance finds it, and consumes or releases it.
      this.#options.onError?.(toError(error));
    }
  }
}

import { delay } from '@tidegate/runtime/resilience';
import { topicRecreated } from '../topic-errors.ts';
import type { FetchClient, TopicMetadata } from './fetch-client.ts';
import type { FollowedPartition } from './followed-partition.ts';
import { orAborted, settledWithin } from './or-aborted.ts';

const MAX_WAIT_MS = 250;
/** Time a fetch waits for the handlers of the last one. The partition of a slower handler is left out of the fetch. */
const HANDLING_GRACE_MS = 20;
const LEADERLESS_RETRY_MS = 500;
const NO_LEADER = -1;

export interface TailRoundOptions {
  readonly client: FetchClient;
  readonly partitions: readonly FollowedPartition[];
  /** Topic ids by name, as they were when the tail started. */
  readonly topicIds: ReadonlyMap<string, string>;
  /** Age in milliseconds at which topics are looked at again for added partitions. */
  readonly metadataMaxAgeMs: number;
  /** Aborts when the tail stops. */
  readonly signal: AbortSignal;
  /** Called with the number of partitions of each topic; adds to `partitions` those that are new. */
  readonly onPartitions: (topic: string, partitions: number) => void;
  /** Called after each successful fetch. */
  readonly onFetched: () => void;
}

/** Follows all partitions with one client and one state of the metadata: one fetch loop for each leading broker. */
export class TailRound {
  readonly #options: TailRoundOptions;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: TailRoundOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#over.signal]);
  }

  /**
   * Resolves when the signal aborted, when a topic has grown, or when a partition without a leader makes new metadata
   * worth a look. Rejects with the first error of a fetch loop, which ends the others.
   *
   * @throws TidegateError LOG_POSITION_OUT_OF_RANGE when a topic was deleted and created again.
   */
  async run(): Promise<void> {
    const topics = await this.#loadTopics();
    const byLeader = Map.groupBy(
      this.#options.partitions,
      ({ topic, partition }) => topics.get(topic)?.partitions[partition]?.leader ?? NO_LEADER,
    );
    const leaderless = byLeader.delete(NO_LEADER);
    const tasks = [...byLeader].map(([brokerId, led]) => this.#followBroker(brokerId, led, topics));
    tasks.push(this.#untilGrown(topics));
    if (leaderless) tasks.push(delay(LEADERLESS_RETRY_MS, this.#signal));
    const results = await Promise.allSettled(tasks.map((task) => task.finally(() => this.#over.abort())));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #loadTopics(): Promise<ReadonlyMap<string, TopicMetadata>> {
    const topics = new Map<string, TopicMetadata>();
    for (const [name, id] of this.#options.topicIds) {
      const topic = await this.#options.client.topic(name);
      // The topic was re-created: the same offsets now name different records.
      if (topic.id !== id) throw topicRecreated(name);
      this.#options.onPartitions(name, topic.partitions.length);
      topics.set(name, topic);
    }
    return topics;
  }

  /** Resolves when a topic has more partitions than in `topics`. @throws TidegateError when one was created again. */
  async #untilGrown(topics: ReadonlyMap<string, TopicMetadata>): Promise<void> {
    for (;;) {
      await delay(this.#options.metadataMaxAgeMs, this.#signal).catch(() => undefined);
      for (const [name, { id, partitions }] of topics) {
        if (this.#signal.aborted) return;
        // The fetch loops meet the same trouble and tell it.
        const found = await this.#options.client.topic(name).catch(() => undefined);
        if (found && found.id !== id) throw topicRecreated(name);
        if (found && found.partitions.length > partitions.length) return;
      }
    }
  }

  async #followBroker(
    brokerId: number,
    led: readonly FollowedPartition[],
    topics: ReadonlyMap<string, TopicMetadata>,
  ): Promise<void> {
    while (!this.#signal.aborted) {
      const free = led.filter((one) => !one.handling);
      if (free.length === 0) await orAborted(Promise.race(handlings(led)), this.#signal);
      else await this.#fetch(brokerId, free, topics);
    }
  }

  async #fetch(
    brokerId: number,
    free: readonly FollowedPartition[],
    topics: ReadonlyMap<string, TopicMetadata>,
  ): Promise<void> {
    const { client, signal, onFetched } = this.#options;
    const requests = free.map(({ topic, partition, offset }) => ({
      topic: topics.get(topic) as TopicMetadata,
      partition,
      offset,
    }));
    const fetched = await orAborted(client.fetch(brokerId, requests, MAX_WAIT_MS), this.#signal);
    if (!fetched) return;
    onFetched();
    for (const one of fetched) {
      // A handler of this very fetch may have stopped the tail.
      if (signal.aborted) return;
      free.find((f) => f.topic === one.topic && f.partition === one.partition)?.deliver(one);
    }
    await settledWithin(Promise.all(handlings(free)), HANDLING_GRACE_MS);
  }
}

export function handlings(partitions: readonly FollowedPartition[]): Promise<void>[] {
  return partitions.flatMap(({ handling }) => handling ?? []);
}

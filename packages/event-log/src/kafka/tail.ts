import { TidegateError } from '@tidegate/core';
import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Position, Tail, TailOptions } from '../event-log.ts';
import { toError } from '../handle-until-resolved.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import type { FetchClient } from './fetch-client.ts';
import { FollowedPartition, type FollowedPartitionCallbacks } from './followed-partition.ts';
import { handlings, TailRound } from './tail-round.ts';

const backoff = { firstMs: 50, maxMs: 2_000 };

export interface KafkaTailStart {
  /** Topic ids by name, as they were when `startedAt` was read. */
  readonly topicIds: ReadonlyMap<string, string>;
  readonly startedAt: readonly Position[];
  /** Age in milliseconds at which topics are looked at again. */
  readonly metadataMaxAgeMs: number;
}

/**
 * Follows partitions without a group, in rounds. Any error ends the round; the next one starts at the same offsets with
 * a new client and new metadata. A moved leader, a restarted broker and a hanging connection are thus one case.
 */
export class KafkaTail implements Tail {
  readonly startedAt: readonly Position[];
  readonly #createClient: () => FetchClient;
  readonly #topicIds: ReadonlyMap<string, string>;
  readonly #metadataMaxAgeMs: number;
  readonly #options: TailOptions;
  readonly #callbacks: FollowedPartitionCallbacks;
  /** Grows with the topics. */
  readonly #partitions: FollowedPartition[];
  readonly #abort = new AbortController();
  #failedRounds = 0;
  #done = Promise.resolve();

  constructor(createClient: () => FetchClient, start: KafkaTailStart, options: TailOptions) {
    const { startedAt } = start;
    this.startedAt = startedAt;
    this.#createClient = createClient;
    this.#topicIds = start.topicIds;
    this.#metadataMaxAgeMs = start.metadataMaxAgeMs;
    this.#options = options;
    this.#callbacks = {
      onRecords: options.onRecords,
      onPosition: (position: Position) => {
        if (!this.#abort.signal.aborted) options.onPosition?.(position);
      },
      onRejected: (error: unknown) => this.#fail(error),
    };
    this.#partitions = startedAt.map((position) => new FollowedPartition(position, this.#callbacks));
  }

  start(): this {
    this.#done = this.#run().catch((error) => this.#fail(error));
    return this;
  }

  stop(): Promise<void> {
    this.#abort.abort();
    return this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const client = this.#createClient();
      try {
        await this.#runRound(client);
      } catch (error) {
        if (signal.aborted) break;
        if (isFinal(error)) return this.#fail(error);
        await this.#recover(client, error);
      } finally {
        await client.close();
      }
    }
    await Promise.all(handlings(this.#partitions));
  }

  #runRound(client: FetchClient): Promise<void> {
    return new TailRound({
      client,
      partitions: this.#partitions,
      topicIds: this.#topicIds,
      metadataMaxAgeMs: this.#metadataMaxAgeMs,
      signal: this.#abort.signal,
      onPartitions: (topic, partitions) => this.#grow(topic, partitions),
      onFetched: () => {
        this.#failedRounds = 0;
      },
    }).run();
  }

  /** Follows partitions that were added to a topic, from their beginning. */
  #grow(topic: string, partitions: number): void {
    const known = this.#partitions.filter((one) => one.topic === topic).length;
    if (partitions <= known) return;
    for (let partition = known; partition < partitions; partition++)
      this.#partitions.push(new FollowedPartition({ topic, partition, offset: 0 }, this.#callbacks));
    this.#options.onPartitions?.(topic, partitions);
  }

  async #recover(client: FetchClient, error: unknown): Promise<void> {
    this.#options.onTrouble?.(toError(error));
    if (client.isOutOfRange(error)) await this.#failWhenLost(client);
    await delay(backoffMs(++this.#failedRounds, backoff), this.#abort.signal).catch(() => undefined);
  }

  /** A new leader may be behind for a moment: only an offset outside its own ends is lost. */
  async #failWhenLost(client: FetchClient): Promise<void> {
    try {
      for (const name of this.#topicIds.keys()) {
        const [starts, ends] = [await client.offsets(name, 'start'), await client.offsets(name, 'end')];
        for (const { topic, partition, offset } of this.#partitions) {
          if (topic !== name) continue;
          const range = { start: starts[partition] ?? 0, end: ends[partition] ?? 0 };
          if (offset >= range.start && offset <= range.end) continue;
          this.#fail(positionOutOfRange({ topic, partition, offset }, range));
        }
      }
    } catch (error) {
      this.#options.onTrouble?.(toError(error));
    }
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#options.onEnd?.(toError(error));
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE';
}

import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { ConsumeOptions, Consumption } from '../event-log.ts';
import { toError } from '../handle-until-resolved.ts';
import type { GroupClient } from './group-client.ts';
import { GroupMember } from './group-member.ts';
import { groupBackoff, type GroupStart } from './group-start.ts';
import { untilGrown } from './growth-watch.ts';

/** A member that ran for this long starts the backoff over. */
const STABLE_MS = 60_000;

export interface ConsumptionDependencies extends GroupStart {
  createGroupClient(): GroupClient;
  /** Number of partitions of a topic. */
  readonly countOf: (topic: string) => Promise<number>;
  /** Age in milliseconds at which topics are looked at again. */
  readonly metadataMaxAgeMs: number;
}

/**
 * One member of a consumer group, replaced when it crashes and when a topic has grown. kafkajs restarts it after some
 * errors and not after others (its issue 1011), and assigns added partitions only when a member joins.
 */
export class KafkaConsumption implements Consumption {
  readonly #dependencies: ConsumptionDependencies;
  readonly #options: ConsumeOptions;
  readonly #abort = new AbortController();
  #done = Promise.resolve();

  constructor(dependencies: ConsumptionDependencies, options: ConsumeOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  start(): this {
    this.#done = this.#run();
    return this;
  }

  stop(): Promise<void> {
    this.#abort.abort();
    return this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const onError = (error: unknown): void => this.#options.onError?.(toError(error));
    for (let attempt = 1; !signal.aborted; attempt++) {
      const startedMs = performance.now();
      try {
        const client = this.#dependencies.createGroupClient();
        await new GroupMember(client, {
          start: this.#dependencies,
          options: this.#options,
          untilGrown: (until) => this.#untilGrown(until),
          signal,
          onError,
        }).run();
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        if (performance.now() - startedMs > STABLE_MS) attempt = 1;
        await delay(backoffMs(attempt, groupBackoff), signal).catch(() => undefined);
      }
    }
  }

  #untilGrown(signal: AbortSignal): Promise<void> {
    const { countOf, metadataMaxAgeMs: everyMs } = this.#dependencies;
    const { topics } = this.#options;
    return untilGrown({ topics, countOf, everyMs }, signal);
  }
}

import type { ConsumeOptions } from '../event-log.ts';
import type { Assignment, GroupBatch, GroupClient } from './group-client.ts';
import { commitEnds, type GroupStart } from './group-start.ts';
import { orAborted, settledWithin } from './or-aborted.ts';
import { OwnedPartitions } from './owned-partitions.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Longer than any join or rebalance may take. */
const SILENCE_MS = 60_000;
const DISCONNECT_MS = 5_000;

export interface GroupMemberContext {
  readonly start: GroupStart;
  readonly options: ConsumeOptions;
  /** Aborts when the consumption stops. */
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
  /** Resolves when a topic has more partitions than at the call, and when the signal aborts. */
  readonly untilGrown: (signal: AbortSignal) => Promise<void>;
}

/** One membership in the group, from connecting to the stop or the crash. */
export class GroupMember {
  readonly #client: GroupClient;
  readonly #context: GroupMemberContext;
  readonly #partitions: OwnedPartitions;
  readonly #crashed = Promise.withResolvers<never>();
  /** Resolves when the start of a new group is committed; batches wait for it. */
  #startCommitted = Promise.resolve();
  #leaving = false;

  constructor(client: GroupClient, context: GroupMemberContext) {
    this.#client = client;
    this.#context = context;
    this.#partitions = new OwnedPartitions(client, context);
    // A crash after the member has left is nobody's concern any more.
    this.#crashed.promise.catch(() => undefined);
  }

  /**
   * Resolves when the signal aborted, or when a topic has more partitions, which are assigned when a member joins. Rejects
   * when the member crashed or its broker went silent.
   */
  async run(): Promise<void> {
    // kafkajs keeps asking a broker that does not answer, and may stop without an error; both look healthy from outside.
    const over = new AbortController();
    const grown = this.#context.untilGrown(AbortSignal.any([this.#context.signal, over.signal]));
    const watch = new SilenceWatch(SILENCE_MS, (error) => this.#crash(error));
    try {
      await this.#client.start(this.#context.options.topics, {
        onBatch: (batch) => this.#handle(batch),
        onJoin: (memberId, assignment) => this.#join(memberId, assignment),
        onActivity: () => watch.activity(),
        onRequestTimeout: (error) => {
          if (!this.#leaving) this.#crash(error);
        },
        onCrash: (error) => this.#crash(error),
      });
      await Promise.race([orAborted(this.#crashed.promise, this.#context.signal), grown]);
    } finally {
      over.abort();
      this.#leaving = true;
      watch.stop();
      await this.#partitions.idle();
      // A client that hangs may never leave the group; the group's session timeout evicts it then.
      await settledWithin(this.#client.disconnect(), DISCONNECT_MS);
    }
  }

  async #handle(batch: GroupBatch): Promise<void> {
    await this.#startCommitted;
    await this.#partitions.handle(batch);
  }

  #join(memberId: string, assignment: Assignment): void {
    this.#partitions.assign(memberId, assignment);
    if (this.#context.options.from !== 'end') return;
    this.#startCommitted = commitEnds(this.#client, this.#context.start, assignment, this.#context);
  }

  #crash(error: Error): void {
    this.#partitions.loseAll();
    this.#crashed.reject(error);
  }
}

import type { TidegateError } from '@tidegate/core';
import type { LiveOperation } from '../../graphql/live-operation.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import type { OutboundSource } from '../outbound/waiting-messages.ts';

/** A running subscription, with the parts that re-authorisation needs. */
export interface RunningSubscription {
  readonly request: LiveOperation;
  readonly live: LiveSubscription;
  /** Ends the client's operation: without an error when the field has completed. Does not stop `live`. */
  readonly end: (error?: TidegateError) => void;
}

/** One operation of a WebSocket, from its `subscribe` to its end. The next operation of the same id is another one. */
export class Operation {
  /** The client's id; free for another operation once this one has ended. */
  readonly id: string;
  /** Id inside graphql-ws; never used twice on a connection. */
  readonly key: string;
  /** Set while the hub delivers changes. */
  running: RunningSubscription | undefined;
  /** Source of the messages that the hub queued. */
  sink: OutboundSource | undefined;
  /** True while a query or mutation executes, which may outlive the operation. */
  executing = false;
  /** Releases the memory of the operation: at its end, or when it has been executed. */
  releaseBytes: (() => void) | undefined;
  /** Replaced and not extended: an array that grows reserves room for sixteen more. */
  #releases: readonly (() => void)[] = [];
  #ended = false;

  constructor(id: string, key: string) {
    this.id = id;
    this.key = key;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Calls back at the end of the operation; at once when it has ended. */
  onEnd(release: () => void): void {
    if (this.#ended) release();
    else this.#releases = this.#releases.concat(release);
  }

  /** Releases everything that the operation holds. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { running } = this;
    this.running = undefined;
    running?.live.stop();
    const releases = this.#releases;
    this.#releases = [];
    for (const release of releases) release();
    if (!this.executing) this.releaseBytes?.();
  }
}

import type { TidegateError } from '@tidegate/core';
import type { Recipient } from '../group/fan-out.ts';
import type { FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';

/** The subscriber as its place in a group sees it. */
export interface GroupSubscriber {
  deliver(batch: FrameBatch, place: GroupSubscription): void;
  fail(error: TidegateError): void;
}

export interface GroupSubscriptionOptions {
  readonly group: Group;
  readonly request: LiveRequest;
  readonly subscriber: GroupSubscriber;
  /** Accepts changes after this sequence number. */
  readonly from: number;
}

/**
 * One subscriber's place in a group, for the changes with `from < seq <= to`. A group that renders slowly also delivers
 * changes from before the subscriber joined and from after it moved to another group; those are filtered out here.
 */
export class GroupSubscription implements Recipient {
  readonly group: Group;
  readonly request: LiveRequest;
  readonly #subscriber: GroupSubscriber;
  #from: number;
  #to = Number.MAX_SAFE_INTEGER;
  #buffer: FrameBatch[] = [];
  #bufferedFrames = 0;
  #isComplete = false;

  constructor({ group, request, subscriber, from }: GroupSubscriptionOptions) {
    this.group = group;
    this.request = request;
    this.#subscriber = subscriber;
    this.#from = from;
  }

  get from(): number {
    return this.#from;
  }

  get bufferedFrames(): number {
    return this.#bufferedFrames;
  }

  /** True when every change up to `to` has been delivered. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Newest change delivered to the direct sink; 0 when none, or without a direct sink. */
  get newestDirectSeq(): number {
    return this.group.fanOut.newestDirectSeq(this);
  }

  /** Lets frames bypass the subscriber, or revokes that. The fan-out owns this state. */
  setDirect(sink: Sink | undefined): void {
    this.group.fanOut.setDirect(this, sink);
  }

  /** Starts over after this change and clears the buffer. Must not be called with a direct sink. */
  restartAfter(seq: number): void {
    this.#from = seq;
    this.clear();
  }

  /** Accepts no changes after `seq`. Calls back when all earlier ones are delivered. */
  endAfter(seq: number, onComplete: () => void): void {
    this.#to = seq;
    this.group.whenDelivered(() => {
      this.#isComplete = true;
      onComplete();
    });
  }

  deliver(shared: FrameBatch, direct: Sink | undefined): void {
    const batch = shared.between(this.#from, this.#to);
    if (!batch) return;
    if (direct !== undefined && batch.isDense) direct.deliver(batch);
    else this.#subscriber.deliver(batch, this);
  }

  fail(error: TidegateError): void {
    this.#subscriber.fail(error);
  }

  /** Appends a batch to the buffer, while the subscriber is not live or an earlier place still delivers. */
  buffer(batch: FrameBatch): void {
    this.#buffer.push(batch);
    this.#bufferedFrames += batch.frames.length;
  }

  /** Removes and returns the oldest buffered batch. */
  take(): FrameBatch | undefined {
    const batch = this.#buffer.shift();
    if (batch) this.#bufferedFrames -= batch.frames.length;
    return batch;
  }

  /** Puts the undelivered part of a batch back in front of the buffer. */
  putBack(batch: FrameBatch): void {
    this.#buffer.unshift(batch);
    this.#bufferedFrames += batch.frames.length;
  }

  /** Empties the buffer and returns its batches. */
  clear(): FrameBatch[] {
    const batches = this.#buffer;
    this.#buffer = [];
    this.#bufferedFrames = 0;
    return batches;
  }
}

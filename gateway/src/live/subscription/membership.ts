import type { TidegateError } from '@tidegate/core';
import type { FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';

/** Where a membership's frames go. */
export interface Member {
  take(membership: Membership, batch: FrameBatch): void;
  fail(error: TidegateError): void;
}

/**
 * A subscription's time in one group: from the change after `from` up to and including `to`, by the hub's sequence
 * numbers. A group that renders slowly delivers what was before as well, and what came after the subscription had
 * gone on elsewhere: neither is this membership's.
 */
export class Membership {
  readonly group: Group;
  readonly request: LiveRequest;
  readonly #member: Member;
  #from: number;
  #to = Number.MAX_SAFE_INTEGER;
  #pending: FrameBatch[] = [];
  #pendingFrames = 0;
  #direct: Sink | undefined;
  /** Whether something was sent directly since it was last asked. */
  #spoken = false;
  /** Of the deliveries that its group made to all members directly: up to which one that was asked. */
  #heard: number;
  /** True when everything up to `to` has come. */
  isOver = false;

  constructor(options: { group: Group; request: LiveRequest; member: Member; from: number }) {
    this.group = options.group;
    this.request = options.request;
    this.#member = options.member;
    this.#from = options.from;
    this.#heard = options.group.members.deliveries;
  }

  /** It begins with the change after this one. */
  get from(): number {
    return this.#from;
  }

  /** Where frames go straight while the subscription wants every one of them as it comes, which is so nearly always. */
  get direct(): Sink | undefined {
    return this.#direct;
  }

  set direct(sink: Sink | undefined) {
    if (sink === this.#direct) return;
    this.#direct = sink;
    this.group.members.changed();
  }

  /** Begins anew after this change; what waits is forgotten. */
  beginAfter(seq: number): void {
    this.#from = seq;
    this.forget();
  }

  endWith(seq: number): void {
    this.#to = seq;
  }

  deliver(shared: FrameBatch): void {
    const batch = shared.between(this.#from, this.#to);
    if (!batch) return;
    if (this.#direct === undefined || !batch.isDense) return this.#member.take(this, batch);
    this.#spoken = true;
    this.#direct.deliver(batch);
  }

  /** Whether something was sent directly since this was asked last. */
  takeSpoken(): boolean {
    const { deliveries } = this.group.members;
    const spoken = this.#spoken || deliveries > this.#heard;
    this.#spoken = false;
    this.#heard = deliveries;
    return spoken;
  }

  fail(error: TidegateError): void {
    this.#member.fail(error);
  }

  /** Lets frames wait until the subscription has come as far. */
  wait(batch: FrameBatch): void {
    this.#pending.push(batch);
    this.#pendingFrames += batch.frames.length;
  }

  get pendingFrames(): number {
    return this.#pendingFrames;
  }

  next(): FrameBatch | undefined {
    const batch = this.#pending.shift();
    if (batch) this.#pendingFrames -= batch.frames.length;
    return batch;
  }

  /** Of frames that were taken these have to be taken again. */
  putBack(batch: FrameBatch): void {
    this.#pending.unshift(batch);
    this.#pendingFrames += batch.frames.length;
  }

  forget(): FrameBatch[] {
    const forgotten = this.#pending;
    this.#pending = [];
    this.#pendingFrames = 0;
    return forgotten;
  }
}

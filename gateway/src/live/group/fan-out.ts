import type { TidegateError } from '@tidegate/core';
import type { Sink } from '../sink.ts';
import type { FrameBatch } from './frame-batch.ts';

/** One subscription as the fan-out of its group sees it. */
export interface Recipient {
  /** Accepts changes after this sequence number. Constant while the recipient has a direct sink. */
  readonly from: number;
  /** @param direct sink that receives dense batches without the subscriber; undefined when the subscriber has to decide. */
  deliver(batch: FrameBatch, direct: Sink | undefined): void;
  fail(error: TidegateError): void;
}

/** Flat copy of the delivery list: `sinks[i]` is the direct sink of `recipients[i]`. */
interface Route {
  readonly recipients: readonly Recipient[];
  readonly sinks: readonly (Sink | undefined)[];
  /** True when every recipient has a direct sink. */
  readonly isDirect: boolean;
  /** Every recipient accepts changes after this sequence number. */
  readonly from: number;
}

/**
 * Delivery list of a group. Owns the answer to "may frames bypass the subscriber?": the direct sink of each recipient.
 *
 * A fan-out to 10,000 subscribers is bound by memory access. While every recipient has a direct sink, which is the
 * normal case, a batch goes to a flat array of sinks and touches no other object of a subscription.
 */
export class FanOut {
  readonly #directSinks = new Map<Recipient, Sink | undefined>();
  /** Cache; undefined when stale. */
  #route: Route | undefined;
  #newestSeq = 0;

  get size(): number {
    return this.#directSinks.size;
  }

  /** Adds a recipient without a direct sink. */
  add(recipient: Recipient): void {
    this.#directSinks.set(recipient, undefined);
    this.#route = undefined;
  }

  /** Returns false when the recipient was not in the list. */
  delete(recipient: Recipient): boolean {
    this.#route = undefined;
    return this.#directSinks.delete(recipient);
  }

  /** Lets dense batches bypass the subscriber, or revokes that. Does nothing for a recipient that has left. */
  setDirect(recipient: Recipient, sink: Sink | undefined): void {
    if (!this.#directSinks.has(recipient) || this.#directSinks.get(recipient) === sink) return;
    this.#directSinks.set(recipient, sink);
    this.#route = undefined;
  }

  /** Newest change that this recipient received on its direct sink; 0 when none, or without a direct sink. */
  newestDirectSeq(recipient: Recipient): number {
    const isDirect = this.#directSinks.get(recipient) !== undefined;
    return isDirect && this.#newestSeq > recipient.from ? this.#newestSeq : 0;
  }

  deliver(batch: FrameBatch): void {
    this.#newestSeq = batch.newestSeq;
    const route = (this.#route ??= this.#createRoute());
    if (route.isDirect && batch.isDense && batch.isAfter(route.from)) this.#deliverDirectly(route, batch);
    else this.#deliverEach(route, 0, batch);
  }

  /** Ends all subscriptions of the group. */
  fail(error: TidegateError): void {
    for (const recipient of [...this.#directSinks.keys()]) recipient.fail(error);
  }

  #deliverDirectly(route: Route, batch: FrameBatch): void {
    const { sinks } = route;
    for (let at = 0; at < sinks.length; at++) {
      sinks[at]!.deliver(batch);
      // That delivery revoked the route, for example by filling a connection.
      if (this.#route !== route) return this.#deliverEach(route, at + 1, batch);
    }
  }

  #deliverEach(route: Route, start: number, batch: FrameBatch): void {
    const { recipients, sinks } = route;
    for (let at = start; at < recipients.length; at++) {
      const recipient = recipients[at]!;
      if (this.#route === route) recipient.deliver(batch, sinks[at]);
      // An earlier delivery has changed the list: recipients may have left or lost their direct sink.
      else if (this.#directSinks.has(recipient)) recipient.deliver(batch, this.#directSinks.get(recipient));
    }
  }

  #createRoute(): Route {
    const recipients = [...this.#directSinks.keys()];
    const sinks = [...this.#directSinks.values()];
    const from = recipients.reduce((newest, recipient) => Math.max(newest, recipient.from), 0);
    return { recipients, sinks, isDirect: !sinks.includes(undefined), from };
  }
}

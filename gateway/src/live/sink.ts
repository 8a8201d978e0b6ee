import type { TidegateError } from '@tidegate/core';
import type { FrameBatch } from './group/frame-batch.ts';

/**
 * The end of a subscription towards its client: a transport's connection, or a test. Methods MUST NOT throw or block.
 * Backpressure is asked for (`ready`, `drained`), never awaited inside `deliver`.
 */
export interface Sink {
  /**
   * Delivers the next messages, in order.
   *
   * @param dropped number of messages that were left out before the first one.
   */
  deliver(batch: FrameBatch, dropped?: number): void;
  /** Resolves when the outbound queue has room for more of a long replay; undefined when it has room now. */
  ready?(): Promise<void> | undefined;
  /** Resolves when the client has read enough for the socket to accept more; undefined when it accepts more now. */
  drained?(): Promise<void> | undefined;
  /**
   * Sets the listener for dropped messages of a field with the overflow policy `snapshot`. After a drop the
   * subscription waits for room and then delivers a fresh snapshot.
   */
  onDropped?(listener: (dropped: number) => void): void;
  /** Delivers a cursor that covers everything so far: when the subscription goes live, and while it is idle. */
  deliverPosition?(cursor: string): void;
  /** Ends the operation: a `once` field has delivered its one message. */
  complete(): void;
  /** Ends the operation with an error. Nothing follows. */
  fail(error: TidegateError): void;
}

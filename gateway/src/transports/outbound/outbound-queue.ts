import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Flushable, FlushScheduler } from './flush-scheduler.ts';
import { Waiters } from './waiters.ts';
import { WaitingMessages, type OutboundSource, type Waiting } from './waiting-messages.ts';

/** The part of a socket or an HTTP response that a queue needs for backpressure. */
export interface OutboundTarget {
  readonly writable: boolean;
  /** True from the write that filled the buffer until `drain`. */
  readonly writableNeedDrain: boolean;
  on(event: 'drain', listener: () => void): unknown;
}

/** Writes messages in the form of one transport. Knows no connection: one encoder serves all of a transport. */
export interface Encoder<Source extends OutboundSource, Target extends OutboundTarget> {
  /** Writes one batch of one subscription. Runs once per delivery and connection, so it MUST NOT copy shared bytes. */
  writeFrames(target: Target, source: Source, batch: FrameBatch): void;
  /** Writes at least one message, all in their order: small ones with one write, large ones uncopied. */
  writeAll(target: Target, messages: readonly Waiting<Source>[]): void;
  /** Encodes the cursor of a subscription, as `writeAll` takes it. */
  encodePosition(source: Source, cursor: string): Buffer;
}

export interface OutboundQueueOptions<Source extends OutboundSource, Target extends OutboundTarget> {
  readonly encoder: Encoder<Source, Target>;
  /** Shared by all connections of the process. */
  readonly scheduler: FlushScheduler;
  /** Bound in bytes, compared with the bytes that wait before a message is added. So one message may exceed it. */
  readonly maxBytes: number;
  /** Called once, when the bound is reached and no overflow policy makes room. The queue is closed by then. */
  readonly onOverflow: () => void;
}

/**
 * Outbound queue of one connection, bounded in bytes. Small messages that are queued together leave with one write. While
 * the socket exerts backpressure nothing is handed to it, so that waiting messages can still be thinned out by the
 * overflow policy of their field.
 */
export class OutboundQueue<
  Source extends OutboundSource,
  Target extends OutboundTarget,
> implements Flushable {
  readonly #encoder: Encoder<Source, Target>;
  readonly #scheduler: FlushScheduler;
  /** Undefined until a target is attached. */
  #target: Target | undefined;
  /** True when a delivery may not be written at once: messages wait, there is no target, or the queue takes no more. */
  #held = true;
  /** Turn of the scheduler in which a delivery was last written at once. */
  #writtenIn = -1;
  readonly #maxBytes: number;
  readonly #onOverflow: () => void;
  readonly #waiting = new WaitingMessages<Source>();
  #scheduled = false;
  #phase: 'open' | 'sealed' | 'closed' = 'open';
  readonly #awaitingRoom = new Waiters();
  readonly #awaitingDrain = new Waiters();
  #onFlushed: (() => void) | undefined;

  constructor(options: OutboundQueueOptions<Source, Target>) {
    this.#encoder = options.encoder;
    this.#scheduler = options.scheduler;
    this.#maxBytes = options.maxBytes;
    this.#onOverflow = options.onOverflow;
  }

  /** Size of the waiting messages in bytes, without bytes that the socket has taken. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /** False once the queue is sealed or closed. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Sets the target of all writes, once. Messages that were queued before are flushed to it. */
  attach(target: Target): void {
    this.#target = target;
    this.#held = this.#phase !== 'open' || !this.#waiting.empty;
    target.on('drain', () => {
      this.#awaitingDrain.resolveAll();
      this.#schedule();
    });
    this.#awaitingDrain.resolveAll();
    this.#schedule();
  }

  /**
   * Delivers frames of a subscription: written at once when nothing waits and the process has time. Later deliveries of
   * the same turn of the event loop share one write: one poll of the log may bring a batch for each partition.
   *
   * @param dropped number of messages that were dropped before the first frame.
   */
  deliver(source: Source, batch: FrameBatch, dropped = 0): void {
    if (!this.#held && dropped === 0 && this.#isWritable && this.#scheduler.hasTime()) {
      const { turn } = this.#scheduler;
      if (this.#writtenIn !== turn) {
        this.#writtenIn = turn;
        return this.#encoder.writeFrames(this.#target!, source, batch);
      }
    }
    if (this.#phase !== 'open') return;
    this.#held = true;
    const waitedBytes = this.#waiting.bytes;
    this.#waiting.addFrames(source, batch, dropped);
    // A fresh snapshot is requested once the socket has drained, so it is written at once. If it waited and were
    // larger than the bound, the next message would drop it and request it again, endlessly.
    if (dropped > 0) return this.flush();
    this.#added(waitedBytes);
  }

  /**
   * Queues an encoded message of the protocol, in order with the frames.
   *
   * @param owner object to `discard` the message by. Default: it is never discarded.
   */
  send(message: Buffer, owner?: object): void {
    if (this.#phase !== 'open') return;
    this.#held = true;
    const waitedBytes = this.#waiting.bytes;
    this.#waiting.addMessage(message, owner);
    this.#added(waitedBytes);
  }

  /** Queues the cursor of a subscription, in order with its frames. */
  deliverPosition(source: Source, cursor: string): void {
    if (this.#phase !== 'open') return;
    this.#held = true;
    this.#waiting.addPosition(source, this.#encoder.encodePosition(source, cursor));
    // Not checked against the bound: positions are small and rare, and one that waits behind a message larger than
    // the bound must not close the connection.
    this.#schedule();
  }

  /** Resolves when less than half of the bound waits, or the queue is closed; undefined when that is so now. */
  ready(): Promise<void> | undefined {
    if (this.#phase !== 'open' || this.#waiting.bytes <= this.#maxBytes / 2) return undefined;
    return this.#awaitingRoom.wait();
  }

  /** Resolves when the socket has drained, or the queue is closed; undefined when there is no backpressure now. */
  drained(): Promise<void> | undefined {
    if (this.#phase !== 'open' || (this.#target && !this.#target.writableNeedDrain)) return undefined;
    return this.#awaitingDrain.wait();
  }

  /** Calls back once all waiting messages are written, at once when none waits. Takes one callback; `close` drops it. */
  onceFlushed(callback: () => void): void {
    if (this.#phase === 'closed') return;
    if (this.#waiting.empty) callback();
    else this.#onFlushed = callback;
  }

  /** Removes the waiting messages of an operation that has ended: of its subscription, or sent with this owner. */
  discard(owner: object): void {
    if (this.#waiting.empty) return;
    this.#waiting.discard(owner);
    if (this.#waiting.bytes <= this.#maxBytes / 2) this.#awaitingRoom.resolveAll();
    if (this.#waiting.empty) this.#flushed();
  }

  /** Takes no more messages; waiting messages are still flushed. Idempotent. */
  seal(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'sealed';
    this.#held = true;
  }

  /** Takes no more messages and drops the waiting ones. Idempotent. */
  close(): void {
    this.#phase = 'closed';
    this.#held = true;
    this.#waiting.take();
    this.#awaitingDrain.resolveAll();
    this.#awaitingRoom.resolveAll();
    this.#onFlushed = undefined;
  }

  /** Writes all waiting messages now, unless the socket exerts backpressure. */
  flush(): void {
    this.#scheduled = false;
    if (this.#waiting.empty || !this.#isWritable) return;
    const messages = this.#waiting.take();
    this.#held = this.#phase !== 'open';
    const [first] = messages;
    if (first && messages.length === 1 && 'batch' in first) {
      this.#encoder.writeFrames(this.#target!, first.source, first.batch);
    } else this.#encoder.writeAll(this.#target!, messages);
    this.#awaitingRoom.resolveAll();
    this.#flushed();
  }

  #flushed(): void {
    const onFlushed = this.#onFlushed;
    this.#onFlushed = undefined;
    onFlushed?.();
  }

  get #isWritable(): boolean {
    const target = this.#target;
    return target !== undefined && target.writable && !target.writableNeedDrain;
  }

  #added(waitedBytes: number): void {
    // The bound applies to the bytes that waited before the message. Otherwise a message larger than the bound would
    // close the connection again after every resume.
    if (waitedBytes > this.#maxBytes) {
      // A client that reads loses nothing, however large the burst.
      if (this.#isWritable) this.flush();
      else this.#thinOut();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.empty || !this.#target || this.#target.writableNeedDrain) return;
    this.#scheduled = true;
    this.#scheduler.add(this);
  }

  #thinOut(): void {
    this.#waiting.thinOut();
    // Half of the bound: a queue that stays near the bound would be thinned out again at every message.
    if (this.#waiting.bytes <= this.#maxBytes / 2) return;
    this.close();
    this.#onOverflow();
  }
}

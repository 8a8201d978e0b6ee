import type { OverflowPolicy } from '@tidegate/bff';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Sink } from '../../live/sink.ts';
import type { OutboundSource } from './waiting-messages.ts';

/** An `OutboundQueue` whose sources are the sinks of one transport. */
export interface SinkQueue {
  deliver(source: OutboundSource, batch: FrameBatch, dropped?: number): void;
  deliverPosition(source: OutboundSource, cursor: string): void;
  ready(): Promise<void> | undefined;
  drained(): Promise<void> | undefined;
}

/**
 * The part of a sink that is the same in all transports. `deliver` is left to the transports: they count their frames,
 * and declare the fields that it reads next to `queue`, because a delivery spends most of its time fetching them from
 * memory.
 */
export abstract class QueueSink implements Omit<Sink, 'deliver' | 'complete' | 'fail'>, OutboundSource {
  protected readonly queue: SinkQueue;
  abstract readonly policy: OverflowPolicy;
  abstract readonly bytesPerFrame: number;
  abstract onDrop: ((dropped: number) => void) | undefined;

  constructor(queue: SinkQueue) {
    this.queue = queue;
  }

  deliverPosition(cursor: string): void {
    this.queue.deliverPosition(this, cursor);
  }

  ready(): Promise<void> | undefined {
    return this.queue.ready();
  }

  drained(): Promise<void> | undefined {
    return this.queue.drained();
  }

  onDropped(listener: (dropped: number) => void): void {
    this.onDrop = listener;
  }
}

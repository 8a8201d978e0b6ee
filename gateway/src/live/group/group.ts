import { toTidegateError } from '@tidegate/core';
import type { Change } from '../feed/change.ts';
import type { Positions } from '../feed/positions.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';
import type { LiveRequest } from '../live-request.ts';
import type { CursorCodec } from '../resume/cursor.ts';
import { FreshSnapshots } from '../resume/fresh-snapshots.ts';
import { GroupCursors } from '../resume/group-cursors.ts';
import { SharedReplays } from '../resume/shared-replays.ts';
import { readSnapshot } from '../resume/snapshot.ts';
import { FanOut } from './fan-out.ts';
import { batchesOf } from './frame-batch.ts';
import type { Frame } from './frame.ts';
import { Rendering } from './rendering.ts';

export interface GroupOptions {
  readonly name: string;
  readonly request: LiveRequest;
  readonly feed: StreamFeed;
  readonly codec: CursorCodec;
  /** Maximum changes waiting to be rendered. When exceeded, every subscription of the group fails. */
  readonly maxQueuedChanges: number;
}

/**
 * Subscriptions that are equal in document, variables and scope. A change is rendered once for all of them, strictly
 * in order, so that changes of a key cannot overtake each other.
 */
export class Group {
  readonly name: string;
  readonly request: LiveRequest;
  readonly cursors: GroupCursors;
  readonly rendering: Rendering;
  readonly fanOut = new FanOut();
  readonly replays = new SharedReplays();
  /** Snapshots for subscriptions that cannot continue by changes. Used only when the field has a snapshot. */
  readonly freshSnapshots: FreshSnapshots;
  readonly #maxQueuedChanges: number;
  #queue: { readonly change: Change; readonly positions: Positions }[] = [];
  #isRendering = false;
  /** Rendered frames that wait for `deliver`: changes that were appended together are delivered together. */
  #rendered: Frame[] = [];
  /** Callbacks that wait until the change with this sequence number is delivered. */
  #deliveryWaiters: { readonly seq: number; readonly onDelivered: () => void }[] = [];

  constructor(options: GroupOptions) {
    const { name, request, feed } = options;
    this.name = name;
    this.request = request;
    this.cursors = new GroupCursors(options);
    this.rendering = new Rendering(request, this.cursors);
    this.freshSnapshots = new FreshSnapshots(() => readSnapshot({ cursors: this.cursors, feed }, request));
    this.#maxQueuedChanges = options.maxQueuedChanges;
  }

  /** True when every enqueued change has been delivered. Only then has the group's client everything up to now. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#rendered.length === 0;
  }

  /** Queues a change for rendering. `deliver` sends its frame on. */
  enqueue(change: Change, positions: Positions): void {
    this.#queue.push({ change, positions });
    if (this.#queue.length > this.#maxQueuedChanges)
      return this.#fail(new Error(`group ${this.name} has more than its maximum of queued changes`));
    if (!this.#isRendering) this.#render();
  }

  /** Delivers the rendered frames. Frames of asynchronous executions are delivered as they complete. */
  deliver(): void {
    const batches = batchesOf(this.#rendered);
    this.#rendered = [];
    for (const batch of batches) this.fanOut.deliver(batch);
    if (this.#deliveryWaiters.length > 0) this.#notifyDelivered();
  }

  /** Calls back when every change enqueued so far has been delivered; synchronously when that is already so. */
  whenDelivered(onDelivered: () => void): void {
    const seq = this.#queue.at(-1)?.change.seq ?? this.#rendered.at(-1)?.seq;
    if (seq === undefined) onDelivered();
    else this.#deliveryWaiters.push({ seq, onDelivered });
  }

  /** Releases the memory of cached replays. Called when the last subscription has left. */
  end(): void {
    this.replays.clear();
  }

  /** Renders the queue in order. Stops at the first asynchronous execution; `#continue` resumes the loop. */
  #render(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const { change, positions } = next;
      let frame: Promise<Frame> | Frame;
      try {
        frame = this.rendering.render(change, this.cursors.relevant(positions));
      } catch (error) {
        // An error must not reach the tail, which feeds all other groups.
        return this.#fail(error);
      }
      if (frame instanceof Promise) {
        this.#isRendering = true;
        void frame.then(
          (rendered) => this.#continue(rendered, change),
          (error: unknown) => {
            this.#isRendering = false;
            this.#fail(error);
          },
        );
        return;
      }
      this.#queue.shift();
      this.#rendered.push(frame);
    }
  }

  #continue(frame: Frame, change: Change): void {
    this.#isRendering = false;
    // An overflow in the meantime has emptied the queue and failed the subscriptions.
    if (this.#queue[0]?.change === change) {
      this.#queue.shift();
      this.#rendered.push(frame);
    }
    this.#render();
    this.deliver();
  }

  #notifyDelivered(): void {
    const next = this.#queue[0]?.change.seq ?? Infinity;
    const delivered = this.#deliveryWaiters.filter(({ seq }) => seq < next);
    this.#deliveryWaiters = this.#deliveryWaiters.filter(({ seq }) => seq >= next);
    for (const { onDelivered } of delivered) onDelivered();
  }

  /** Drops the queue, delivers the frames rendered so far and fails every subscription. */
  #fail(error: unknown): void {
    this.#queue = [];
    this.deliver();
    this.fanOut.fail(toTidegateError(error));
  }
}

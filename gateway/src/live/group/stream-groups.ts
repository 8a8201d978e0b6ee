import type { Change } from '../feed/change.ts';
import type { Positions } from '../feed/positions.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';
import type { LiveRequest } from '../live-request.ts';
import type { CursorCodec } from '../resume/cursor.ts';
import type { Recipient } from './fan-out.ts';
import { Group } from './group.ts';
import { TermIndex } from './term-index.ts';

export interface StreamGroupsOptions {
  readonly feed: StreamFeed;
  readonly codec: CursorCodec;
  /** Maximum changes waiting to be rendered in a group. */
  readonly maxQueuedChanges: number;
  /** Called when a group was created or has ended. */
  readonly onSize: () => void;
}

/** The groups of one stream. A group exists while it has a subscription. */
export class StreamGroups {
  readonly #options: StreamGroupsOptions;
  readonly #index = new TermIndex<Group>();
  readonly #byName = new Map<string, Group>();
  /** Groups with changes of the present batch. */
  readonly #enqueued = new Set<Group>();

  constructor(options: StreamGroupsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Enqueues a change in the groups that want it. They deliver at the end of the batch. */
  dispatch(change: Change, positions: Positions): void {
    let copy: Positions | undefined;
    for (const group of this.#index.find(change.terms)) {
      if (!group.rendering.wants(change)) continue;
      // The feed's positions advance before the cursor is encoded. All groups share one copy.
      copy ??= positions.slice();
      group.enqueue(change, copy);
      this.#enqueued.add(group);
    }
  }

  /** Delivers the frames of the batch of changes that has ended. */
  deliver(): void {
    for (const group of this.#enqueued) group.deliver();
    this.#enqueued.clear();
  }

  /** Finds or creates the group of a request. */
  groupOf(request: LiveRequest): Group {
    const name = `${request.fingerprint}\n${request.scope.id}\n${request.renderingName ?? ''}`;
    const known = this.#byName.get(name);
    if (known) return known;
    const { feed, codec, maxQueuedChanges, onSize } = this.#options;
    const group = new Group({ name, request, feed, codec, maxQueuedChanges });
    this.#byName.set(name, group);
    this.#index.add(request.field.term(request.args, request.scope), group);
    onSize();
    return group;
  }

  /** Removes a recipient from its group. Ends the group when it was the last one. */
  leave(group: Group, recipient: Recipient): void {
    if (!group.fanOut.delete(recipient) || group.fanOut.size > 0) return;
    const { field, args, scope } = group.request;
    group.end();
    this.#byName.delete(group.name);
    this.#index.delete(field.term(args, scope), group);
    this.#options.onSize();
  }
}

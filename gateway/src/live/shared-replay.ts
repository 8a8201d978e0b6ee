import type { EventLog } from '@tidegate/event-log';
import type { Frame } from './frame.ts';
import type { Group } from './group.ts';
import type { Positions } from './positions.ts';
import { replay } from './replay.ts';
import type { StreamFeed } from './stream-feed.ts';

export interface SharedReplayOptions {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly group: Group;
  readonly term: string;
  readonly from: ReadonlyMap<number, number>;
}

/** Where subscriptions hand over from the replay to live changes: what the feed had seen when they joined. */
export interface Fence {
  readonly positions: Positions;
  readonly seq: number;
}

interface Entry {
  readonly frame: Frame;
  readonly partition: number;
  readonly offset: number;
}

/** Frames made in one go, before those who wait for them are served. */
const BATCH_FRAMES = 200;
/** Frames kept for others; whoever missed more is served the rest on their own. */
const MAX_KEPT_FRAMES = 2_000;

/**
 * What all subscriptions missed that come back with the same cursor: read, executed and written once. A herd that was
 * cut off by a deploy has few different cursors, whatever its size.
 */
export class SharedReplay {
  readonly #options: SharedReplayOptions;
  readonly #entries: Entry[] = [];
  #positions: ReadonlyMap<number, number>;
  #extending: Promise<void> = Promise.resolve();

  constructor(options: SharedReplayOptions) {
    this.#options = options;
    this.#positions = options.from;
  }

  /**
   * The missed frames before the fence, in order, in batches.
   *
   * @throws TidegateError CURSOR_EXPIRED when the log no longer holds them.
   */
  async *before(fence: Fence): AsyncGenerator<readonly Frame[]> {
    let next = 0;
    while (next < MAX_KEPT_FRAMES) {
      if (next === this.#entries.length && !(await this.#extend(fence))) return;
      const batch = this.#entries.slice(next);
      next += batch.length;
      // Those of a later fence were made for somebody who joined later: here they come live.
      yield batch
        .filter(({ partition, offset }) => offset < fence.positions[partition]!)
        .map(({ frame }) => frame);
    }
    yield* this.#alone(fence);
  }

  /** Makes at least one more entry, unless there is none before the fence. One at a time. */
  #extend(fence: Fence): Promise<boolean> {
    const before = this.#entries.length;
    const done = this.#extending.then(async () => {
      if (this.#entries.length === before) await this.#make(fence);
    });
    this.#extending = done.catch(() => undefined);
    return done.then(() => this.#entries.length > before);
  }

  async #make(fence: Fence): Promise<void> {
    const { group } = this.#options;
    let made = 0;
    for await (const { change, positions } of replay({ ...this.#options, from: this.#positions, fence })) {
      const frame = await group.render(change, positions);
      this.#entries.push({ frame, partition: change.partition, offset: change.offset });
      this.#positions = positions;
      if (++made === BATCH_FRAMES) return;
    }
  }

  /** The part that is too long to be kept. */
  async *#alone(fence: Fence): AsyncGenerator<readonly Frame[]> {
    const { group } = this.#options;
    const from = this.#positions;
    for await (const { change, positions } of replay({ ...this.#options, from, fence })) {
      yield [await group.render(change, positions)];
    }
  }
}

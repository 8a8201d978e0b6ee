import type { EventLog } from '@tidegate/event-log';
import type { Frame } from '../group/frame.ts';
import { batchOf, type FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { Positions } from '../feed/positions.ts';
import { replay, type ReplayedChange } from './replay.ts';
import type { ReplayBudget } from './replay-budget.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface SharedReplayOptions {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly group: Group;
  readonly term: string;
  readonly from: ReadonlyMap<number, number>;
  /** What all shared replays together may keep. */
  readonly budget: ReplayBudget;
}

/** Where subscriptions hand over from the replay to live changes: what the feed had seen when they joined. */
export interface Fence {
  readonly positions: Positions;
  readonly seq: number;
}

/** Frames made in one go, before those who wait for them are served. */
interface Chunk {
  readonly batch: FrameBatch;
  /** Where each frame's change was in the log. */
  readonly places: ReadonlyMap<Frame, { readonly partition: number; readonly offset: number }>;
  /** Where one stands after it. */
  readonly positions: ReadonlyMap<number, number>;
}

const CHUNK_FRAMES = 200;
/** A connection takes a chunk when it has room; a chunk alone must not fill it. */
const CHUNK_JSON_BYTES = 64 * 1024;
/** Frames kept for others; whoever missed more is served the rest on their own. */
const MAX_KEPT_FRAMES = 2_000;
/** What is kept of a frame beside its JSON, each about as much: what a transport made of it, and its objects. */
const KEPT_FACTOR = 3;

/**
 * What all subscriptions missed that come back with the same cursor: read, executed and written once. A herd that was
 * cut off by a deploy has few different cursors, whatever its size. What does not fit the budget is made for each alone.
 */
export class SharedReplay {
  readonly #options: SharedReplayOptions;
  readonly #chunks: Chunk[] = [];
  #keptFrames = 0;
  #keptBytes = 0;
  /** No more is kept: enough is, or there is no room. */
  #isFull = false;
  /** Nobody new will come. */
  #isForgotten = false;
  #readers = 0;
  #underWay: AsyncGenerator<ReplayedChange, void> | undefined;
  #positions: ReadonlyMap<number, number>;
  #extending: Promise<void> = Promise.resolve();

  constructor(options: SharedReplayOptions) {
    this.#options = options;
    this.#positions = options.from;
  }

  /**
   * The missed frames before the fence, in order.
   *
   * @throws TidegateError CURSOR_EXPIRED when the log no longer holds them.
   */
  async *before(fence: Fence): AsyncGenerator<FrameBatch> {
    this.#readers += 1;
    try {
      yield* this.#read(fence);
    } finally {
      this.#readers -= 1;
      this.#giveBack();
    }
  }

  /** Nobody new will come: what is kept is given back once those who read it, and share it until then, are served. */
  forget(): void {
    this.#isForgotten = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isForgotten || this.#readers > 0) return;
    this.#options.budget.giveBack(this.#keptBytes);
    this.#keptBytes = 0;
    this.#chunks.length = 0;
    this.#close();
  }

  async *#read(fence: Fence): AsyncGenerator<FrameBatch> {
    for (let next = 0; ; next++) {
      const chunk = this.#chunks[next] ?? (await this.#extend(next, fence));
      if (!chunk) break;
      const { places, batch } = chunk;
      // Those of a later fence were made for somebody who joined later: here they come live.
      const wanted = batch.filter((frame) => {
        const { partition, offset } = places.get(frame)!;
        return offset < fence.positions[partition]!;
      });
      if (wanted) yield wanted;
    }
    if (this.#isFull) yield* this.#alone(fence);
  }

  /** Makes the chunk of this index, unless there is none before the fence or enough is kept. One at a time. */
  async #extend(index: number, fence: Fence): Promise<Chunk | undefined> {
    const done = this.#extending.then(async () => {
      if (this.#chunks.length > index || this.#isFull) return;
      const made = await this.#next(fence);
      if (made) this.#keep(made);
      if (this.#isFull) this.#close();
    });
    this.#extending = done.catch(() => undefined);
    await done;
    return this.#chunks[index];
  }

  #keep(chunk: Chunk): void {
    const bytes = KEPT_FACTOR * chunk.batch.jsonBytes;
    if (!this.#options.budget.take(bytes)) {
      this.#isFull = true;
      return;
    }
    this.#chunks.push(chunk);
    this.#keptBytes += bytes;
    this.#keptFrames += chunk.batch.frames.length;
    this.#positions = chunk.positions;
    this.#isFull = this.#keptFrames >= MAX_KEPT_FRAMES;
  }

  /** Ends the reading that would have been gone on with. */
  #close(): void {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    // It was not asked for anything now, so nothing can fail but its end, which concerns nobody any more.
    underWay?.return().catch(() => undefined);
  }

  /** Goes on with the replay that is under way, and with a new one when that ends before the fence. */
  async #next(fence: Fence): Promise<Chunk | undefined> {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    const known = underWay && (await this.#make(underWay));
    if (known) {
      this.#underWay = underWay;
      return known;
    }
    const begun = replay({ ...this.#options, from: this.#positions, fence });
    const made = await this.#make(begun);
    if (made) this.#underWay = begun;
    return made;
  }

  /** The next chunk of a replay, which stays open: to begin it anew would be to read again what was read. */
  async #make(missed: AsyncGenerator<ReplayedChange, void>): Promise<Chunk | undefined> {
    const places = new Map<Frame, { partition: number; offset: number }>();
    let reached: ReadonlyMap<number, number> | undefined;
    let jsonBytes = 0;
    while (places.size < CHUNK_FRAMES && jsonBytes < CHUNK_JSON_BYTES) {
      const next = await missed.next();
      if (next.done) break;
      const { change, positions } = next.value;
      const frame = await this.#options.group.render(change, positions);
      places.set(frame, { partition: change.partition, offset: change.offset });
      reached = positions;
      jsonBytes += frame.json.length;
    }
    const batch = batchOf([...places.keys()]);
    return batch && reached && { batch, places, positions: reached };
  }

  /** The part that is too long to be kept. */
  async *#alone(fence: Fence): AsyncGenerator<FrameBatch> {
    const missed = replay({ ...this.#options, from: this.#positions, fence });
    for (let made = await this.#make(missed); made; made = await this.#make(missed)) yield made.batch;
  }
}

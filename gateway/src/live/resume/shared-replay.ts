import type { StreamFeed } from '../feed/stream-feed.ts';
import { batchOf, type FrameBatch } from '../group/frame-batch.ts';
import type { Frame } from '../group/frame.ts';
import type { Rendering } from '../group/rendering.ts';
import type { ChangeReader } from './change-reader.ts';
import type { Fence } from './fence.ts';
import type { ReplayBudget } from './replay-budget.ts';
import { replay, type ReplayedChange } from './replay.ts';

export interface SharedReplayOptions {
  readonly reader: ChangeReader;
  readonly feed: StreamFeed;
  readonly rendering: Rendering;
  /** Index term of the group. */
  readonly term: string;
  /** Start of the replay: next offset by partition. */
  readonly from: ReadonlyMap<number, number>;
  /** Memory limit, shared with all cached replays of the hub. */
  readonly budget: ReplayBudget;
}

/** Frames rendered together, the unit of caching. */
interface Chunk {
  readonly batch: FrameBatch;
  /** Each frame's place in the log. */
  readonly places: ReadonlyMap<Frame, { readonly partition: number; readonly offset: number }>;
  /** The client's positions after the chunk. */
  readonly positions: ReadonlyMap<number, number>;
}

const CHUNK_FRAMES = 200;
/** Maximum JSON of a chunk in bytes. An outbound queue with any room takes a whole chunk, so chunks must be small. */
const CHUNK_JSON_BYTES = 64 * 1024;
/** Maximum frames cached per shared replay. A subscriber that missed more replays the remainder individually. */
const MAX_CACHED_FRAMES = 2_000;
/** Memory of a cached frame as a multiple of its JSON: the JSON, a transport's encoding of it, and objects. */
const MEMORY_FACTOR = 3;

/**
 * The replay after one cursor, read, executed and serialised once for all subscriptions that resume from it. Clients
 * that a deploy has disconnected share few cursors, whatever their number. Frames beyond the memory limit are
 * rendered for each subscription individually.
 */
export class SharedReplay {
  readonly #options: SharedReplayOptions;
  readonly #chunks: Chunk[] = [];
  #cachedFrames = 0;
  #cachedBytes = 0;
  /** True when no more frames are cached: the maximum is reached or the budget is used up. */
  #isFull = false;
  /** True when the replay has been evicted from its group's cache. */
  #isRetired = false;
  #readers = 0;
  /** Replay that the next chunk continues with. */
  #changes: AsyncGenerator<ReplayedChange, void> | undefined;
  /** Positions after the last cached chunk. */
  #positions: ReadonlyMap<number, number>;
  #extending: Promise<void> = Promise.resolve();

  constructor(options: SharedReplayOptions) {
    this.#options = options;
    this.#positions = options.from;
  }

  /**
   * Yields the missed frames before the fence, in order.
   *
   * @throws TidegateError CURSOR_EXPIRED when the log no longer holds them.
   */
  async *before(fence: Fence): AsyncGenerator<FrameBatch> {
    this.#readers += 1;
    try {
      yield* this.#read(fence);
    } finally {
      this.#readers -= 1;
      this.#releaseUnused();
    }
  }

  /** Releases the cached frames as soon as the present readers have finished. */
  retire(): void {
    this.#isRetired = true;
    this.#releaseUnused();
  }

  #releaseUnused(): void {
    if (!this.#isRetired || this.#readers > 0) return;
    this.#options.budget.release(this.#cachedBytes);
    this.#cachedBytes = 0;
    this.#chunks.length = 0;
    this.#closeChanges();
  }

  async *#read(fence: Fence): AsyncGenerator<FrameBatch> {
    for (let index = 0; ; index++) {
      const chunk = this.#chunks[index] ?? (await this.#extend(index, fence));
      if (!chunk) break;
      const { places, batch } = chunk;
      // A reader with a later fence may have extended the cache. Frames after this reader's fence reach it as live
      // changes.
      const wanted = batch.filter((frame) => {
        const { partition, offset } = places.get(frame)!;
        return offset < fence.positions[partition]!;
      });
      if (wanted) yield wanted;
    }
    if (this.#isFull) yield* this.#readUncached(fence);
  }

  /** Caches the chunk at this index. Undefined when the fence or the limit is reached. Runs one call at a time. */
  async #extend(index: number, fence: Fence): Promise<Chunk | undefined> {
    const done = this.#extending.then(async () => {
      if (this.#chunks.length > index || this.#isFull) return;
      const chunk = await this.#renderChunk(fence);
      if (chunk) this.#cache(chunk);
      if (this.#isFull) this.#closeChanges();
    });
    this.#extending = done.catch(() => undefined);
    await done;
    return this.#chunks[index];
  }

  #cache(chunk: Chunk): void {
    const bytes = MEMORY_FACTOR * chunk.batch.jsonBytes;
    if (!this.#options.budget.reserve(bytes)) {
      this.#isFull = true;
      return;
    }
    this.#chunks.push(chunk);
    this.#cachedBytes += bytes;
    this.#cachedFrames += chunk.batch.frames.length;
    this.#positions = chunk.positions;
    this.#isFull = this.#cachedFrames >= MAX_CACHED_FRAMES;
  }

  #closeChanges(): void {
    const changes = this.#changes;
    this.#changes = undefined;
    // The generator is idle, so only its cleanup can fail; no reader depends on it any more.
    changes?.return().catch(() => undefined);
  }

  /** Continues the open replay. When it has ended, starts one from there: it may have had an earlier fence. */
  async #renderChunk(fence: Fence): Promise<Chunk | undefined> {
    const open = this.#changes;
    this.#changes = undefined;
    const chunk = open && (await this.#renderChunkOf(open));
    if (chunk) {
      this.#changes = open;
      return chunk;
    }
    const started = replay({ ...this.#options, from: this.#positions, fence });
    const first = await this.#renderChunkOf(started);
    if (first) this.#changes = started;
    return first;
  }

  /** Renders the next changes of a replay and leaves it open: a new replay would read the same records again. */
  async #renderChunkOf(changes: AsyncGenerator<ReplayedChange, void>): Promise<Chunk | undefined> {
    const places = new Map<Frame, { partition: number; offset: number }>();
    let reached: ReadonlyMap<number, number> | undefined;
    let jsonBytes = 0;
    while (places.size < CHUNK_FRAMES && jsonBytes < CHUNK_JSON_BYTES) {
      const next = await changes.next();
      if (next.done) break;
      const { change, positions } = next.value;
      const frame = await this.#options.rendering.render(change, positions);
      places.set(frame, { partition: change.partition, offset: change.offset });
      reached = positions;
      jsonBytes += frame.json.length;
    }
    const batch = batchOf([...places.keys()]);
    return batch && reached && { batch, places, positions: reached };
  }

  /** Replays the remainder that is too long to be cached, for one reader. */
  async *#readUncached(fence: Fence): AsyncGenerator<FrameBatch> {
    const changes = replay({ ...this.#options, from: this.#positions, fence });
    for (let chunk = await this.#renderChunkOf(changes); chunk; chunk = await this.#renderChunkOf(changes))
      yield chunk.batch;
  }
}

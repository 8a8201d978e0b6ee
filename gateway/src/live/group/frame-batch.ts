import type { Frame } from './frame.ts';

/** Maximum frames of a joined batch: a batch made for one slow subscriber is rarely shared by others. */
const MAX_JOINED_FRAMES = 512;

/**
 * Frames of one group in order, as one object that all its subscribers share. A transport encodes a batch once and
 * caches the bytes by this object.
 */
export class FrameBatch {
  readonly frames: readonly [Frame, ...Frame[]];
  /** Total size of the frames' JSON in bytes. */
  readonly jsonBytes: number;
  /** Sequence number of the newest change in the batch; 0 for snapshots only. */
  readonly newestSeq: number;
  /** True when each change is the next version of its key, which is the normal case. */
  readonly isDense: boolean;
  readonly #oldestSeq: number;
  readonly #lowestVersion: number;
  #joined: { readonly next: FrameBatch; readonly batch: FrameBatch } | undefined;

  constructor(frames: readonly [Frame, ...Frame[]], jsonBytes?: number) {
    this.frames = frames;
    this.jsonBytes = jsonBytes ?? frames.reduce((sum, { json }) => sum + json.length, 0);
    this.#oldestSeq = frames.reduce((lowest, { seq }) => Math.min(lowest, seq), Infinity);
    this.newestSeq = frames.reduce((highest, { seq }) => Math.max(highest, seq), 0);
    this.#lowestVersion = frames.reduce((lowest, { version }) => Math.min(lowest, version), Infinity);
    this.isDense = frames.every(({ continuity }) => continuity === 'next');
  }

  /** Returns the batch itself when all frames pass, a copy of those that pass, or undefined when none does. */
  filter(wanted: (frame: Frame) => boolean): FrameBatch | undefined {
    if (this.frames.every(wanted)) return this;
    return batchOf(this.frames.filter(wanted));
  }

  /** True when every frame's change came after this sequence number. */
  isAfter(seq: number): boolean {
    return this.#oldestSeq > seq;
  }

  /** Frames with `from < seq <= to`. Returns the batch itself, without looking at its frames, in the normal case. */
  between(from: number, to: number): FrameBatch | undefined {
    if (this.isAfter(from) && this.newestSeq <= to) return this;
    return this.filter(({ seq }) => seq > from && seq <= to);
  }

  /** Frames with a higher version. */
  afterVersion(version: number): FrameBatch | undefined {
    return this.#lowestVersion > version ? this : this.filter((frame) => frame.version > version);
  }

  /**
   * Joins this batch and the next one; undefined when the result would be too long. The result is cached, so that
   * subscribers with the same backlog share one joined batch.
   */
  join(next: FrameBatch): FrameBatch | undefined {
    if (this.#joined?.next === next) return this.#joined.batch;
    if (this.frames.length + next.frames.length > MAX_JOINED_FRAMES) return undefined;
    const batch = new FrameBatch([...this.frames, ...next.frames], this.jsonBytes + next.jsonBytes);
    this.#joined = { next, batch };
    return batch;
  }
}

/** Maximum JSON of a batch in bytes. An outbound queue with any room takes a whole batch, so a batch must be small. */
const MAX_JSON_BYTES = 64 * 1024;

/** Splits frames into batches of at most 64 KiB of JSON. A larger frame becomes a batch of its own. */
export function batchesOf(frames: readonly Frame[]): FrameBatch[] {
  const batches: FrameBatch[] = [];
  for (let start = 0; start < frames.length;) {
    let end = start;
    let jsonBytes = 0;
    while (end < frames.length && (jsonBytes === 0 || jsonBytes + frames[end]!.json.length <= MAX_JSON_BYTES))
      jsonBytes += frames[end++]!.json.length;
    batches.push(new FrameBatch(frames.slice(start, end) as [Frame, ...Frame[]], jsonBytes));
    start = end;
  }
  return batches;
}

/** Makes one batch of any size; undefined when there are no frames. */
export function batchOf(frames: readonly Frame[]): FrameBatch | undefined {
  const [first, ...rest] = frames;
  return first && new FrameBatch([first, ...rest]);
}

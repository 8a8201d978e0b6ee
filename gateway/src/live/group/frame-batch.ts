import type { Frame } from './frame.ts';

/** Joined batches stay this small: what is made for one subscriber behind others is of use to few. */
const MAX_JOINED_FRAMES = 512;

/**
 * Frames of one group in their order, as one object that all its subscribers share: what a transport makes of it
 * (bytes on the wire) is made once.
 */
export class FrameBatch {
  readonly frames: readonly [Frame, ...Frame[]];
  /** Sum of the JSON of all frames. */
  readonly jsonBytes: number;
  readonly #lowestSeq: number;
  readonly #highestSeq: number;
  readonly #lowestVersion: number;
  /** True when each change has the version after the one before it, as nearly always. */
  readonly isDense: boolean;
  #joined: { readonly next: FrameBatch; readonly batch: FrameBatch } | undefined;

  constructor(frames: readonly [Frame, ...Frame[]], jsonBytes?: number) {
    this.frames = frames;
    this.jsonBytes = jsonBytes ?? frames.reduce((sum, { json }) => sum + json.length, 0);
    this.#lowestSeq = frames.reduce((lowest, { seq }) => Math.min(lowest, seq), Infinity);
    this.#highestSeq = frames.reduce((highest, { seq }) => Math.max(highest, seq), 0);
    this.#lowestVersion = frames.reduce((lowest, { version }) => Math.min(lowest, version), Infinity);
    this.isDense = frames.every(({ continuity }) => continuity === 'next');
  }

  /** This batch for somebody who wants some of its frames only: itself when that is all, undefined when it is none. */
  filter(wanted: (frame: Frame) => boolean): FrameBatch | undefined {
    if (this.frames.every(wanted)) return this;
    return batchOf(this.frames.filter(wanted));
  }

  /** Whether all its frames are of changes after this one. */
  isAfter(seq: number): boolean {
    return this.#lowestSeq > seq;
  }

  /** The frames of changes after `from` up to `to`. For nearly everybody that is all, and found out at no cost. */
  between(from: number, to: number): FrameBatch | undefined {
    if (this.isAfter(from) && this.#highestSeq <= to) return this;
    return this.filter(({ seq }) => seq > from && seq <= to);
  }

  /** The frames of later versions than this. */
  afterVersion(version: number): FrameBatch | undefined {
    return this.#lowestVersion > version ? this : this.filter((frame) => frame.version > version);
  }

  /**
   * Both as one; undefined when that would be too long. Subscribers for whom the same batches wait get the same
   * joined batch.
   */
  join(next: FrameBatch): FrameBatch | undefined {
    if (this.#joined?.next === next) return this.#joined.batch;
    if (this.frames.length + next.frames.length > MAX_JOINED_FRAMES) return undefined;
    const batch = new FrameBatch([...this.frames, ...next.frames], this.jsonBytes + next.jsonBytes);
    this.#joined = { next, batch };
    return batch;
  }
}

/** A connection takes a batch when it has room for any; one alone must not be much of what may wait there. */
const MAX_JSON_BYTES = 64 * 1024;

/** All frames in batches of a bounded size. */
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

/** Undefined when there are no frames. */
export function batchOf(frames: readonly Frame[]): FrameBatch | undefined {
  const [first, ...rest] = frames;
  return first && new FrameBatch([first, ...rest]);
}

import { readChange, readCursor } from './next-message.ts';

/** Tracks the versions that one client has received of each key, and counts lost and repeated ones. */
export class DeliveryTrack {
  lost = 0;
  repeated = 0;
  /** Sum of the newest versions of all keys. The client has caught up when it equals the number of appended ticks. */
  versions: number;
  cursor: string | undefined;
  readonly #newest: Int32Array;
  #last: { bytes: Buffer; start: number; end: number } | undefined;

  /** @param seen version of every key at the start. */
  constructor(keys: number, seen: number) {
    this.#newest = new Int32Array(keys).fill(seen);
    this.versions = keys * seen;
  }

  onNext(bytes: Buffer, start: number, end: number): void {
    this.#last = { bytes, start, end };
    const change = readChange(bytes, start, end);
    if (!change) return;
    const before = this.#newest[change.key]!;
    if (change.version <= before) {
      this.repeated += 1;
      return;
    }
    this.lost += change.version - before - 1;
    this.versions += change.version - before;
    this.#newest[change.key] = change.version;
  }

  /** Keeps the newest cursor; parsed once per read from the socket, not once per message. */
  onReadEnd(): void {
    if (!this.#last) return;
    const { bytes, start, end } = this.#last;
    this.cursor = readCursor(bytes, start, end) ?? this.cursor;
    this.#last = undefined;
  }
}

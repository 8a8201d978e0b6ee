import { readChange, readCursor } from './next-message.ts';

/** What one client has seen of each key: nothing may be missing, nothing may come twice. */
export class DeliveryTrack {
  lost = 0;
  repeated = 0;
  /** Sum of the newest versions over all keys: level with the others when it is as high as what was appended. */
  versions: number;
  cursor: string | undefined;
  readonly #newest: Int32Array;
  #last: { bytes: Buffer; start: number; end: number } | undefined;

  /** `seen` is the version of every key at the beginning. */
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

  /** Keeps the newest cursor: read once for all messages that came together. */
  onReadEnd(): void {
    if (!this.#last) return;
    const { bytes, start, end } = this.#last;
    this.cursor = readCursor(bytes, start, end) ?? this.cursor;
    this.#last = undefined;
  }
}

import type { Holder, Release } from '../../admission/admission.ts';
import { ConnectionHold, type EdgeGuards } from '../../admission/connection-hold.ts';
import { drawAgeMs } from '../connection-age.ts';
import type { SseStream } from './connection.ts';

export interface OpenStreamsOptions {
  readonly guards: EdgeGuards;
  /** About how long a stream lasts; 0: as long as it likes. */
  readonly maxConnectionAgeMs: number;
}

/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Every event stream of one BFF in this process: counted for its viewer and its address, ended when it has to be. */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  /** With the timer that ends each. */
  readonly #streams = new Map<SseStream, NodeJS.Timeout | undefined>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  /** Makes a stream and counts it until it ends. @throws TidegateError TOO_MANY_CONNECTIONS */
  admit(
    holder: Holder,
    create: (onEnd: () => void) => SseStream,
  ): { stream: SseStream; hold: ConnectionHold } {
    const { guards, maxConnectionAgeMs } = this.#options;
    const release = guards.admission.connectionOf(holder.address);
    const hold = new ConnectionHold(guards, holder.address, () => stream.cut());
    takeOrRelease(hold, holder, release);
    const stream = create(() => {
      clearTimeout(this.#streams.get(stream));
      this.#streams.delete(stream);
      hold.release();
      release();
      if (this.#streams.size === 0) this.#empty?.resolve();
    });
    this.#streams.set(stream, undefined);
    const ageMs = drawAgeMs(maxConnectionAgeMs);
    if (ageMs !== undefined) this.#leaveLater(stream, ageMs);
    return { stream, hold };
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Ends every stream, each at a time of its own within the window, so that clients do not come back as a herd. */
  async leaveAll(windowMs: number): Promise<void> {
    if (this.#streams.size === 0) return;
    this.#empty ??= Promise.withResolvers<void>();
    for (const stream of [...this.#streams.keys()]) {
      if (windowMs <= 0) stream.cut();
      else this.#leaveLater(stream, Math.random() * windowMs);
    }
    await this.#empty.promise;
  }

  #leaveLater(stream: SseStream, waitMs: number): void {
    clearTimeout(this.#streams.get(stream));
    this.#streams.set(
      stream,
      setTimeout(() => stream.leave(), Math.min(waitMs, MAX_TIMER_MS)),
    );
  }
}

function takeOrRelease(hold: ConnectionHold, { viewer }: Holder, release: Release): void {
  try {
    hold.take(viewer);
  } catch (error) {
    release();
    throw error;
  }
}

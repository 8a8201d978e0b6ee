import type { Consumption } from './event-log.ts';
import { logClosed } from './topic-errors.ts';

/** Whether a log is open, and the consumptions and tails that must stop when it closes. */
export class LogLifetime {
  readonly #running = new Set<Consumption>();
  #closing: Promise<void> | undefined;

  /** @throws TidegateError UNAVAILABLE when the log is closing or closed. */
  assertOpen(): void {
    if (this.#closing) throw logClosed();
  }

  /** Tracks a consumption or tail until it is stopped. The caller must hand out the returned `stop`. */
  own(started: Consumption): Consumption {
    this.#running.add(started);
    return { stop: () => started.stop().finally(() => this.#running.delete(started)) };
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((started) => started.stop()));
  }

  /** Runs `release` on the first call; every call resolves when it has. */
  close(release: () => Promise<void>): Promise<void> {
    return (this.#closing ??= release());
  }
}

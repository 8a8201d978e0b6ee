import type { Signals, Tables, UnitOfWork } from './database.ts';

interface Listener {
  readonly onSignal: () => void;
}

/** Signals within one process. */
export class InProcessSignals implements Signals {
  readonly #afterWake: (channel: string) => void;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Channels that a unit notifies already, so that each is notified once per transaction. */
  readonly #notified = new WeakMap<UnitOfWork<Tables>, Set<string>>();

  /** `afterWake` runs after the listeners of a committed notification, to notify other processes. */
  constructor(afterWake: (channel: string) => void = () => {}) {
    this.#afterWake = afterWake;
  }

  /** Calls the channel's listeners in this process. */
  wake(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener.onSignal();
  }

  notify(unit: UnitOfWork<Tables>, channel: string): void {
    const channels = this.#notified.get(unit) ?? new Set();
    if (channels.has(channel)) return;
    this.#notified.set(unit, channels.add(channel));
    unit.afterCommit(() => {
      this.wake(channel);
      this.#afterWake(channel);
    });
  }

  async listen(channel: string, onSignal: () => void): Promise<() => Promise<void>> {
    const listener: Listener = { onSignal };
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    return async () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }
}

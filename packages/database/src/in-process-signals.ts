import type { Signals, Tables, UnitOfWork } from './database.ts';

export interface InProcessSignals extends Signals {
  /** Wakes the listeners of this process. */
  wake(channel: string): void;
}

/** Wake-ups within one process. `afterWake` tells other processes, where there is a way to. */
export function createInProcessSignals(afterWake: (channel: string) => void = () => {}): InProcessSignals {
  const listeners = new Map<string, Set<{ onSignal: () => void }>>();
  const notified = new WeakMap<UnitOfWork<Tables>, Set<string>>();

  function wake(channel: string): void {
    for (const listener of listeners.get(channel) ?? []) listener.onSignal();
  }

  function notify(unit: UnitOfWork<Tables>, channel: string): void {
    const channels = notified.get(unit) ?? new Set();
    if (channels.has(channel)) return;
    notified.set(unit, channels.add(channel));
    unit.afterCommit(() => {
      wake(channel);
      afterWake(channel);
    });
  }

  async function listen(channel: string, onSignal: () => void): Promise<() => Promise<void>> {
    const own = { onSignal };
    const all = listeners.get(channel) ?? new Set();
    listeners.set(channel, all.add(own));
    return async () => {
      all.delete(own);
      if (all.size === 0 && listeners.get(channel) === all) listeners.delete(channel);
    };
  }

  return { wake, notify, listen };
}

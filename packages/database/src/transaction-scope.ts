import { AsyncLocalStorage } from 'node:async_hooks';
import { TidegateError } from '@tidegate/core';

/** Knows whether the running code is inside a transaction's work, whatever it awaited in between. */
export interface TransactionScope {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** @throws TidegateError INTERNAL inside a transaction. */
  assertOutside(): void;
}

export function createTransactionScope(): TransactionScope {
  const storage = new AsyncLocalStorage<{ open: boolean }>();
  return {
    async run(work) {
      // Something started in the work may outlive it; from then on it is outside.
      const state = { open: true };
      try {
        return await storage.run(state, work);
      } finally {
        state.open = false;
      }
    },
    assertOutside() {
      if (!storage.getStore()?.open) return;
      throw new TidegateError(
        'INTERNAL',
        'inside a transaction only its own unit may be used: a second connection could wait for the first for ever',
      );
    },
  };
}

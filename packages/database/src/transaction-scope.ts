import { AsyncLocalStorage } from 'node:async_hooks';
import { TidegateError } from '@tidegate/core';

/** Knows whether the running code is part of a transaction's work, across awaits. */
export class TransactionScope {
  readonly #storage = new AsyncLocalStorage<{ open: boolean }>();

  async run<T>(work: () => Promise<T>): Promise<T> {
    // A task that the work started may outlive it. From then on it runs outside the transaction.
    const state = { open: true };
    try {
      return await this.#storage.run(state, work);
    } finally {
      state.open = false;
    }
  }

  /** @throws TidegateError INTERNAL inside a transaction. */
  assertOutside(): void {
    if (!this.#storage.getStore()?.open) return;
    throw new TidegateError(
      'INTERNAL',
      'inside a transaction only its own unit may be used: a second connection could wait for the first for ever',
    );
  }
}

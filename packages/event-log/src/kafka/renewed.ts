import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';

export interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

export interface Renewed<T> {
  /** Rejects with a TidegateError: UNAVAILABLE after several tries, anything else at once. */
  use<R>(work: (connected: T) => Promise<R>): Promise<R>;
  close(): Promise<void>;
}

const retries = { attempts: 6, firstMs: 200, maxMs: 2_000 };

/**
 * A kafkajs client that is thrown away after a failure. After a request without an answer kafkajs asks the same
 * silent broker again until its metadata ages; a new one asks another broker who leads now.
 */
export function createRenewed<T extends Connectable>(
  create: () => T,
  translate: (error: unknown) => TidegateError,
): Renewed<T> {
  let current: { readonly client: T; readonly ready: Promise<void> } | undefined;
  let closed = false;

  function connect(): { readonly client: T; readonly ready: Promise<void> } {
    const client = create();
    return { client, ready: client.connect() };
  }

  async function once<R>(work: (connected: T) => Promise<R>): Promise<R> {
    if (closed) throw new TidegateError('UNAVAILABLE', 'The event log is closed.');
    const used = (current ??= connect());
    try {
      await used.ready;
      return await work(used.client);
    } catch (error) {
      const translated = translate(error);
      if (translated.code === 'UNAVAILABLE') drop(used);
      throw translated;
    }
  }

  function drop(used: { readonly client: T }): void {
    if (current === used) current = undefined;
    used.client.disconnect().catch(() => undefined);
  }

  return {
    use: (work) =>
      retry(() => once(work), {
        ...retries,
        retryable: (error) => !closed && error instanceof TidegateError && error.code === 'UNAVAILABLE',
      }),
    async close() {
      closed = true;
      await current?.client.disconnect().catch(() => undefined);
    },
  };
}

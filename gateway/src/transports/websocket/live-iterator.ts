import type { TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';

/**
 * Iterator that graphql-ws holds for a live subscription. It yields nothing, because the hub writes to the connection
 * itself, and ends when the subscription ends. `return()` reaches the hub at once, which an async generator does not
 * guarantee while it awaits.
 */
export interface LiveIterator extends AsyncIterable<ExecutionResult> {
  /** Completes the iteration, or rejects it with the error. */
  end(error?: TidegateError): void;
  return(): Promise<IteratorResult<ExecutionResult>>;
}

/** @param onReturn called when graphql-ws ends the iteration. */
export function createLiveIterator(onReturn: () => void): LiveIterator {
  const done = { value: undefined, done: true } as const;
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<ExecutionResult>>();
  // It may be rejected before graphql-ws awaits it.
  promise.catch(() => undefined);
  const iterator = {
    next: () => promise,
    return: () => {
      resolve(done);
      onReturn();
      return Promise.resolve(done);
    },
  };
  return {
    end: (error) => (error ? reject(error) : resolve(done)),
    return: iterator.return,
    [Symbol.asyncIterator]: () => iterator,
  };
}

import type { TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';

/**
 * What graphql-ws holds for a live subscription: an iterator that yields nothing, because the hub writes to the
 * connection itself, and that ends when the subscription does. `return()` reaches the hub at once, which an async
 * generator would not promise while it waits.
 */
export interface LiveIterator extends AsyncIterable<ExecutionResult> {
  /** Ends it: completes, or rejects with the error. */
  end(error?: TidegateError): void;
  return(): Promise<IteratorResult<ExecutionResult>>;
}

export function createLiveIterator(onReturn: () => void): LiveIterator {
  const done = { value: undefined, done: true } as const;
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<ExecutionResult>>();
  // It may end before anybody waits for it.
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

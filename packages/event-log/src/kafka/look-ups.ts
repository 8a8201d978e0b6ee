import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import type { FetchClient } from './fetch-client.ts';

export interface LookUps {
  /** Asks until there is an answer or it is clear that there will be none soon. */
  ask<T>(question: (client: FetchClient) => Promise<T>): Promise<T>;
  /** As `ask`, once and alone: a client fetches for one caller at a time. */
  fetch<T>(question: (client: FetchClient) => Promise<T>): Promise<T>;
  /** Once, for a quick yes or no. */
  once<T>(question: (client: FetchClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const retries = { attempts: 6, firstMs: 200, maxMs: 1_500 };
// A new topic is known to one broker some milliseconds earlier than to another.
const NOT_FOUND_TRIES = 3;

/** The client that answers questions; after an error the next question gets a fresh one. */
export function createLookUps(createClient: () => FetchClient): LookUps {
  let client: FetchClient | undefined;
  let fetching: Promise<unknown> = Promise.resolve();

  async function once<T>(question: (client: FetchClient) => Promise<T>): Promise<T> {
    const used = (client ??= createClient());
    try {
      return await question(used);
    } catch (error) {
      if (error instanceof TidegateError && error.code !== 'UNAVAILABLE') throw error;
      if (client === used) client = undefined;
      void used.close();
      if (error instanceof TidegateError) throw error;
      throw new TidegateError('UNAVAILABLE', 'Kafka does not answer.', { cause: error });
    }
  }

  function ask<T>(question: (client: FetchClient) => Promise<T>): Promise<T> {
    let notFound = 0;
    return retry(() => once(question), {
      ...retries,
      retryable: (error) => {
        const code = error instanceof TidegateError ? error.code : undefined;
        return code === 'UNAVAILABLE' || (code === 'NOT_FOUND' && ++notFound < NOT_FOUND_TRIES);
      },
    });
  }

  return {
    ask,
    once,
    fetch(question) {
      const result = fetching.then(() => ask(question));
      fetching = result.catch(() => undefined);
      return result;
    },
    async close() {
      await client?.close();
    },
  };
}

import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import type { FetchClient } from './fetch-client.ts';
import { translateError } from './translate-error.ts';

type Question<T> = (client: FetchClient) => Promise<T>;

const retries = { attempts: 6, firstMs: 200, maxMs: 1_500 };
/** A new topic is known to one broker some milliseconds earlier than to another. */
const NOT_FOUND_ATTEMPTS = 3;

/** Requests that any broker can answer. After an error the next request gets a new client. */
export class LookUps {
  readonly #createClient: () => FetchClient;
  #client: FetchClient | undefined;
  #fetching: Promise<unknown> = Promise.resolve();

  constructor(createClient: () => FetchClient) {
    this.#createClient = createClient;
  }

  /** Retries UNAVAILABLE for a few seconds and NOT_FOUND for some hundred milliseconds. */
  ask<T>(question: Question<T>): Promise<T> {
    let notFound = 0;
    return retry(() => this.once(question), {
      ...retries,
      retryable: (error) => {
        const code = error instanceof TidegateError ? error.code : undefined;
        return code === 'UNAVAILABLE' || (code === 'NOT_FOUND' && ++notFound < NOT_FOUND_ATTEMPTS);
      },
    });
  }

  /** As `ask`, one at a time: a client fetches for one caller at a time. */
  fetch<T>(question: Question<T>): Promise<T> {
    const result = this.#fetching.then(() => this.ask(question));
    this.#fetching = result.catch(() => undefined);
    return result;
  }

  /** Asks once, without a retry. */
  async once<T>(question: Question<T>): Promise<T> {
    const client = (this.#client ??= this.#createClient());
    try {
      return await question(client);
    } catch (error) {
      if (error instanceof TidegateError && error.code !== 'UNAVAILABLE') throw error;
      if (this.#client === client) this.#client = undefined;
      void client.close();
      throw translateError(error);
    }
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }
}

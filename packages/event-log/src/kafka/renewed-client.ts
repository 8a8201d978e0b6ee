import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import { logClosed } from '../topic-errors.ts';

export interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface Connection<T> {
  readonly client: T;
  readonly ready: Promise<void>;
  /** Topics and groups that it was used for. */
  readonly subjects: Set<string>;
}

const retries = { attempts: 6, firstMs: 200, maxMs: 2_000 };

/**
 * kafkajs asks for the metadata of all topics that a client was used for, and rejects when one of them is gone: a new
 * client tells whether it is this one.
 */
class OfAnotherTopic extends Error {}

function isUnavailable(error: unknown): boolean {
  return error instanceof TidegateError && error.code === 'UNAVAILABLE';
}

/**
 * A kafkajs client that is replaced after a failure. After a request without an answer kafkajs asks the same silent
 * broker until its metadata expires; a new client asks another broker for the current leaders.
 */
export class RenewedClient<T extends Connectable> {
  readonly #create: () => T;
  readonly #translate: (error: unknown, subject?: string) => TidegateError;
  #connection: Connection<T> | undefined;
  #closed = false;

  constructor(create: () => T, translate: (error: unknown, subject?: string) => TidegateError) {
    this.#create = create;
    this.#translate = translate;
  }

  /**
   * Runs `work` on a connected client.
   *
   * @param subject topic or group that the work is about, for errors.
   * @throws TidegateError UNAVAILABLE after several attempts; any other code at once.
   */
  async use<R>(subject: string, work: (client: T) => Promise<R>): Promise<R> {
    const retryable = (error: unknown): boolean =>
      !this.#closed && (error instanceof OfAnotherTopic || isUnavailable(error));
    try {
      return await retry(() => this.#once(subject, work), { ...retries, retryable });
    } catch (error) {
      throw error instanceof OfAnotherTopic ? error.cause : error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.client.disconnect().catch(() => undefined);
  }

  async #once<R>(subject: string, work: (client: T) => Promise<R>): Promise<R> {
    if (this.#closed) throw logClosed();
    const connection = (this.#connection ??= this.#connect());
    connection.subjects.add(subject);
    try {
      await connection.ready;
      return await work(connection.client);
    } catch (error) {
      const translated = this.#translate(error, subject);
      const isNotFound = translated.code === 'NOT_FOUND';
      if (isNotFound || translated.code === 'UNAVAILABLE') this.#drop(connection);
      if (isNotFound && connection.subjects.size > 1) throw new OfAnotherTopic('', { cause: translated });
      throw translated;
    }
  }

  #connect(): Connection<T> {
    const client = this.#create();
    return { client, ready: client.connect(), subjects: new Set() };
  }

  #drop(connection: Connection<T>): void {
    if (this.#connection === connection) this.#connection = undefined;
    connection.client.disconnect().catch(() => undefined);
  }
}

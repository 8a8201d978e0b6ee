import type { ChurnWorkload } from './churn-documents.ts';

/** One connection of a client: one subscription to all keys and, over WebSocket, one to a single key. */
export interface ChurnConnection {
  readonly messages: number;
  readonly cursor: string | undefined;
  /** Resolves when this many messages have arrived. @throws GoneError when the connection ends before. */
  received(count: number): Promise<void>;
  unsubscribe(): void;
  /** Ends the subscriptions and starts them again under the same ids, without a pause. An event stream is opened again. */
  resubscribe(): void;
  /** Closes the connection normally. */
  close(): void;
  /** Destroys the socket without a closing handshake. */
  destroy(): void;
  /** Stops reading and answering pings; the connection stays open. */
  freeze(): void;
}

export interface ChurnConnectionOptions {
  readonly port: number;
  readonly token: string;
  readonly workload: ChurnWorkload;
  /** Resumes the subscription to all keys after this cursor. */
  readonly cursor: string | undefined;
}

/** The connection ended before the expected messages had arrived. */
export class GoneError extends Error {
  readonly messages: number;

  constructor(messages: number, reason: string) {
    super(`gone after ${messages} messages: ${reason}`);
    this.messages = messages;
  }
}

/** Counts the messages of one connection. */
export class Receipts {
  messages = 0;
  cursor: string | undefined;
  #gone: string | undefined;
  #waiters: {
    readonly count: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  add(cursor: string | undefined): void {
    this.messages += 1;
    this.cursor = cursor ?? this.cursor;
    for (const { count, resolve } of this.#waiters) if (this.messages >= count) resolve();
  }

  end(reason: string): void {
    this.#gone = reason;
    for (const { count, reject } of this.#waiters)
      if (this.messages < count) reject(new GoneError(this.messages, reason));
  }

  received(count: number): Promise<void> {
    if (this.messages >= count) return Promise.resolve();
    if (this.#gone !== undefined) return Promise.reject(new GoneError(this.messages, this.#gone));
    return new Promise((resolve, reject) => this.#waiters.push({ count, resolve, reject }));
  }
}

import { LiveClientError } from './live-client-error.ts';
import type { LiveClient } from './live-client.ts';
import type { Phase } from './phase.ts';
import type { QueryRequest, SubscribeRequest } from './requests.ts';
import type { Result } from './result.ts';
import type { Transport } from './sessions/session.ts';

/**
 * Returns a client for one user of a shared client. It uses the shared connection, and its `close()` ends only the
 * subscriptions that were made through it.
 *
 * @example
 * ```ts
 * import { createLiveClient, leaseClient } from '@tidegate/live-client';
 *
 * const shared = createLiveClient({ url: '/graphql/web', token: async () => '' });
 * const widget = leaseClient(shared);
 * widget.close(); // `shared` stays open
 * ```
 */
export function leaseClient(client: LiveClient): LiveClient {
  return new LeasedClient(client);
}

class LeasedClient implements LiveClient {
  readonly #client: LiveClient;
  readonly #subscriptions = new Set<() => void>();
  #closed = false;

  constructor(client: LiveClient) {
    this.#client = client;
  }

  get phase(): Phase {
    return this.#client.phase;
  }

  get transport(): Transport | undefined {
    return this.#client.transport;
  }

  subscribe<Data>(request: SubscribeRequest<Data>): () => void {
    if (this.#closed) {
      queueMicrotask(() => request.onError?.(closedError()));
      return () => {};
    }
    const unsubscribe = this.#client.subscribe<Data>({
      ...request,
      onError: (error) => {
        this.#subscriptions.delete(end);
        request.onError?.(error);
      },
      onComplete: () => {
        this.#subscriptions.delete(end);
        request.onComplete?.();
      },
    });
    const end = (): void => {
      this.#subscriptions.delete(end);
      unsubscribe();
    };
    this.#subscriptions.add(end);
    return end;
  }

  query<Data>(request: QueryRequest): Promise<Result<Data>> {
    return this.#closed ? Promise.reject(closedError()) : this.#client.query<Data>(request);
  }

  retryNow(): void {
    if (!this.#closed) this.#client.retryNow();
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#subscriptions) end();
  }
}

function closedError(): LiveClientError {
  return new LiveClientError('CLOSED', 'The live client is closed.');
}

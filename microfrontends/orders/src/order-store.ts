import type { LiveClient, LiveClientError } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import { ordersQuery, ordersSubscription } from './documents.ts';
import { mergeOrder, trimOrders, type OrderCollection } from './order-collection.ts';
import type { Order } from './order.ts';

/** Maximum number of orders that a page keeps and renders. An operator of a large shop sees the newest. */
const MAX_ORDERS = 300;
const FIRST_PAGE = 100;
/** Batches the changes of this interval into one rendering. */
const RENDER_EVERY_MS = 30;

export interface OrderStore {
  readonly orders: ReadonlySignal<OrderCollection>;
  readonly loading: ReadonlySignal<boolean>;
  /** Message of the last error; '' when there is none. */
  readonly problem: ReadonlySignal<string>;
  /** Queries the orders again; changes continue to arrive meanwhile. */
  reload(): void;
  stop(): void;
}

interface QueryData {
  readonly orders: { readonly edges: readonly { readonly node: Order }[] };
}

interface QueuedOrder {
  readonly order: Order;
  readonly changedAtMs: number | undefined;
}

/** Subscribes to the viewer's orders and queries them. */
export function startOrderStore(client: LiveClient): OrderStore {
  const store = new LiveOrderStore(client);
  store.start();
  return store;
}

/**
 * Subscribes before it queries: a change in between arrives twice, and the higher version wins. It queries again once
 * the subscription is live for the first time: a change after the first answer and before that moment is in neither.
 */
class LiveOrderStore implements OrderStore {
  readonly orders = signal<OrderCollection>(new Map());
  readonly loading = signal(true);
  readonly problem = signal('');
  readonly #client: LiveClient;
  readonly #stopped = new AbortController();
  /** Bounded by the rendering interval, which empties it. */
  #queue: QueuedOrder[] = [];
  #renderTimer: ReturnType<typeof setTimeout> | undefined;
  #queriedWhileLive = false;
  #unsubscribe = (): void => {};

  constructor(client: LiveClient) {
    this.#client = client;
  }

  start(): void {
    this.#unsubscribe = this.#subscribe();
    this.reload();
  }

  reload(): void {
    void this.#query();
  }

  stop(): void {
    this.#stopped.abort();
    this.#unsubscribe();
    clearTimeout(this.#renderTimer);
  }

  #subscribe(): () => void {
    return this.#client.subscribe<{ orders: Order }>({
      query: ordersSubscription,
      onResult: ({ data }) => {
        if (data?.orders) this.#enqueue({ order: data.orders, changedAtMs: Date.now() });
      },
      onReset: () => this.reload(),
      onPhase: (phase) => {
        if (phase !== 'live' || this.#queriedWhileLive) return;
        this.#queriedWhileLive = true;
        this.reload();
      },
      onError: (error) => {
        this.problem.value = error.message;
      },
    });
  }

  async #query(): Promise<void> {
    try {
      const { data } = await this.#client.query<QueryData>({
        query: ordersQuery,
        variables: { first: FIRST_PAGE },
        signal: this.#stopped.signal,
      });
      for (const { node } of data?.orders.edges ?? []) this.#enqueue({ order: node, changedAtMs: undefined });
      this.problem.value = '';
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.problem.value = (error as LiveClientError).message;
    } finally {
      this.loading.value = false;
    }
  }

  #enqueue(queued: QueuedOrder): void {
    this.#queue.push(queued);
    this.#renderTimer ??= setTimeout(() => this.#flush(), RENDER_EVERY_MS);
  }

  #flush(): void {
    this.#renderTimer = undefined;
    const next = new Map(this.orders.value);
    for (const { order, changedAtMs } of this.#queue) {
      next.set(order.id, mergeOrder(next.get(order.id), order, changedAtMs));
    }
    this.#queue = [];
    this.orders.value = trimOrders(next, MAX_ORDERS);
  }
}

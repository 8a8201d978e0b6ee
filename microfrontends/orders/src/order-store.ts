import type { LiveClient, LiveClientError } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import { ordersQuery, ordersSubscription } from './documents.ts';
import { mergeOrder, trimOrders, type OrderCollection } from './order-collection.ts';
import type { Order } from './order.ts';

/** What a page can hold and draw; an operator of a large shop sees the newest. */
const MAX_ORDERS = 300;
const FIRST_PAGE = 100;
/** Changes of one moment are drawn together. */
const DRAW_EVERY_MS = 30;
export interface OrderStore {
  readonly orders: ReadonlySignal<OrderCollection>;
  readonly loading: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string>;
  /** Loads the orders again; changes go on meanwhile. */
  reload(): void;
  stop(): void;
}

interface QueryData {
  readonly orders: { readonly edges: readonly { readonly node: Order }[] };
}

/**
 * Subscribes first, then queries: what changes in between comes twice, and the highest version wins. It queries again
 * once the subscription is live for the first time: what happened between the first answer and then is in no change.
 */
export function startOrderStore(client: LiveClient): OrderStore {
  const orders = signal<OrderCollection>(new Map());
  const loading = signal(true);
  const problem = signal('');
  const stopped = new AbortController();
  /** Bounded by the drawing: it is emptied every few milliseconds. */
  let waiting: { order: Order; changedAtMs: number | undefined }[] = [];
  let confirmed = false;
  let drawTimer: ReturnType<typeof setTimeout> | undefined;

  const draw = (): void => {
    drawTimer = undefined;
    const next = new Map(orders.value);
    for (const { order, changedAtMs } of waiting) {
      next.set(order.id, mergeOrder(next.get(order.id), order, changedAtMs));
    }
    waiting = [];
    orders.value = trimOrders(next, MAX_ORDERS);
  };
  const take = (order: Order, changedAtMs?: number): void => {
    waiting.push({ order, changedAtMs });
    drawTimer ??= setTimeout(draw, DRAW_EVERY_MS);
  };

  const load = async (): Promise<void> => {
    try {
      const { data } = await client.query<QueryData>({
        query: ordersQuery,
        variables: { first: FIRST_PAGE },
        signal: stopped.signal,
      });
      for (const { node } of data?.orders.edges ?? []) take(node);
      problem.value = '';
    } catch (error) {
      if (!stopped.signal.aborted) problem.value = (error as LiveClientError).message;
    } finally {
      loading.value = false;
    }
  };
  const reload = (): void => void load();

  const unsubscribe = client.subscribe<{ orders: Order }>({
    query: ordersSubscription,
    onResult: ({ data }) => {
      if (data?.orders) take(data.orders, Date.now());
    },
    onReset: reload,
    onPhase: (phase) => {
      if (phase !== 'live' || confirmed) return;
      confirmed = true;
      reload();
    },
    onError: (error) => {
      problem.value = error.message;
    },
  });
  reload();

  return {
    orders,
    loading,
    problem,
    reload,
    stop() {
      stopped.abort();
      unsubscribe();
      clearTimeout(drawTimer);
    },
  };
}

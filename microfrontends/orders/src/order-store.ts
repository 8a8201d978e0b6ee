import type { LiveClient, LiveClientError } from '@tidegate/live-client';
import { batch, signal, type ReadonlySignal } from '@preact/signals';
import { PAGE_SIZE, queryBoard, queryCounts, type BoardPages } from './board-pages.ts';
import { ordersSubscription } from './documents.ts';
import { keepNewest, laneOf, lanes, layoutOf, perLane, type LaneId, type PerLane } from './lanes.ts';
import { mergeOrder, type OrderCollection } from './order-collection.ts';
import type { Order } from './order.ts';

/** Batches the changes of this interval into one rendering. */
const RENDER_EVERY_MS = 30;
/** Without a live subscription within this time the orders are queried nevertheless, and once more when it is live. */
const QUERY_WITHOUT_LIVE_MS = 1_500;
/** The counts are queried again this long after a change whose former lane is unknown, or else known. */
const COUNT_AFTER_MS = { unknown: 1_000, known: 5_000 };
/** Waits before a failed query is repeated, doubling from the first to the last. */
const RETRY_MS = { first: 1_000, max: 15_000 };
/** Maximum distinct orders that may change during one query; beyond it the query is repeated. */
const MAX_CHANGED = 1_000;

export interface OrderStore {
  /** The newest orders of each lane. The lanes may hold more on the server: see `counts`. */
  readonly orders: ReadonlySignal<OrderCollection>;
  /** Number of all orders in each lane, by the server. */
  readonly counts: ReadonlySignal<PerLane>;
  /** True until the first answer. */
  readonly loading: ReadonlySignal<boolean>;
  /** Time up to which the orders are known to be right, in ms since the epoch; undefined while they are live. */
  readonly asOfMs: ReadonlySignal<number | undefined>;
  /** Grows when the set was replaced, or enlarged by request: a held layout is laid out anew. */
  readonly replacements: ReadonlySignal<number>;
  /** Message of the last error; '' when there is none. */
  readonly problem: ReadonlySignal<string>;
  /** Queries the orders again; changes continue to arrive meanwhile. */
  reload(): void;
  /** Queries a further page of this lane. */
  showMore(lane: LaneId): void;
  stop(): void;
}

interface QueuedOrder {
  readonly order: Order;
  readonly changedAtMs: number;
}

/** Subscribes to the viewer's orders and queries them. */
export function startOrderStore(client: LiveClient): OrderStore {
  const store = new LiveOrderStore(client);
  store.start();
  return store;
}

/**
 * Queries once the subscription is live: a change after the answer arrives, and one before it is in the answer. Changes
 * during a query are applied to its answer too; the higher version wins. A reset makes the present set unreliable: it
 * stays visible as of its time, takes no further changes, and is replaced by the next answer.
 */
class LiveOrderStore implements OrderStore {
  readonly orders = signal<OrderCollection>(new Map());
  readonly counts = signal<PerLane>(perLane(() => 0));
  readonly loading = signal(true);
  readonly asOfMs = signal<number | undefined>(undefined);
  readonly replacements = signal(0);
  readonly problem = signal('');
  readonly #client: LiveClient;
  readonly #stopped = new AbortController();
  /** Newest change of each order since the last rendering. Bounded by the rendering interval. */
  #queue = new Map<string, QueuedOrder>();
  /** Newest change of each order since the running query began; undefined while none runs. */
  #changedMeanwhile: Map<string, Order> | undefined;
  #limits: Record<LaneId, number> = perLane(() => PAGE_SIZE);
  #live = false;
  /** The set may miss changes: a query has to replace it. */
  #unreliable = true;
  /** A further page was requested. */
  #enlarged = false;
  /** Number of the current query; the answer of an earlier one is discarded. */
  #queries = 0;
  #failures = 0;
  #renderTimer: ReturnType<typeof setTimeout> | undefined;
  #queryTimer: ReturnType<typeof setTimeout> | undefined;
  #countTimer: ReturnType<typeof setTimeout> | undefined;
  #countAtMs = Infinity;
  #unsubscribe = (): void => {};

  constructor(client: LiveClient) {
    this.#client = client;
  }

  start(): void {
    this.#unsubscribe = this.#subscribe();
    if (!this.#live) this.#queryTimer = setTimeout(() => this.reload(), QUERY_WITHOUT_LIVE_MS);
  }

  reload(): void {
    void this.#query();
  }

  showMore(lane: LaneId): void {
    this.#limits[lane] += PAGE_SIZE;
    this.#enlarged = true;
    this.reload();
  }

  stop(): void {
    this.#stopped.abort();
    this.#unsubscribe();
    for (const timer of [this.#renderTimer, this.#queryTimer, this.#countTimer]) clearTimeout(timer);
  }

  #subscribe(): () => void {
    return this.#client.subscribe<{ orders: Order }>({
      query: ordersSubscription,
      onResult: ({ data }) => {
        if (data?.orders) this.#handleChange(data.orders);
      },
      onReset: () => this.#handleReset(),
      onPhase: (phase) => {
        this.#live = phase === 'live';
        this.#updateAsOf();
        if (this.#live && this.#unreliable) this.reload();
      },
      onError: (error) => {
        this.#live = false;
        this.problem.value = error.message;
        this.#updateAsOf();
      },
    });
  }

  #handleChange(order: Order): void {
    this.#changedMeanwhile?.set(order.id, order);
    if (this.#changedMeanwhile && this.#changedMeanwhile.size > MAX_CHANGED) this.reload();
    this.#queue.set(order.id, { order, changedAtMs: Date.now() });
    this.#renderTimer ??= setTimeout(() => this.#flush(), RENDER_EVERY_MS);
  }

  /** The phase `live` follows, and the query with it. Versions may start again from 1. */
  #handleReset(): void {
    this.#unreliable = true;
    this.#queries += 1;
    this.#queue.clear();
    this.#updateAsOf();
    if (this.#live) this.reload();
  }

  #updateAsOf(): void {
    const isFresh = this.#live && !this.#unreliable;
    if (isFresh) this.asOfMs.value = undefined;
    else if (!this.loading.value) this.asOfMs.value ??= Date.now();
  }

  async #query(): Promise<void> {
    const { signal: stopped } = this.#stopped;
    const query = (this.#queries += 1);
    const wasLive = this.#live;
    clearTimeout(this.#queryTimer);
    this.#changedMeanwhile = new Map();
    try {
      const pages = await queryBoard(this.#client, this.#limits, stopped);
      if (query === this.#queries && !stopped.aborted) this.#replace(pages, wasLive);
    } catch (error) {
      if (query === this.#queries && !stopped.aborted) this.#queryFailed(error as LiveClientError);
    }
  }

  #queryFailed(error: LiveClientError): void {
    this.#changedMeanwhile = undefined;
    this.loading.value = false;
    this.problem.value = error.message;
    this.#updateAsOf();
    const delayMs =
      Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** this.#failures++) * (0.5 + Math.random() / 2);
    if (this.#unreliable) this.#queryTimer = setTimeout(() => this.reload(), delayMs);
  }

  /** Takes the answer in place of the present set. @param wasLive no change was missed since the query began. */
  #replace({ orders, counts }: BoardPages, wasLive: boolean): void {
    const before: OrderCollection = this.#unreliable ? new Map() : this.orders.value;
    const next = new Map(orders.map((order) => [order.id, mergeOrder(before.get(order.id), order)]));
    const changed = this.#changedMeanwhile ?? new Map<string, Order>();
    this.#changedMeanwhile = undefined;
    for (const order of changed.values()) {
      next.set(order.id, mergeOrder(next.get(order.id), order, Date.now()));
    }
    batch(() => {
      if (this.#unreliable || this.#enlarged) this.replacements.value += 1;
      this.#enlarged = false;
      this.#unreliable &&= !(wasLive && this.#live);
      this.#failures = 0;
      this.orders.value = keepNewest(next, this.#limits);
      this.counts.value = counts;
      this.loading.value = false;
      this.problem.value = '';
      this.#updateAsOf();
    });
    if (changed.size > 0) this.#countLater('unknown');
  }

  #flush(): void {
    this.#renderTimer = undefined;
    const queue = this.#queue;
    this.#queue = new Map();
    if (this.#unreliable && this.replacements.value > 0) return;
    const next = new Map(this.orders.value);
    const counts: Record<LaneId, number> = { ...this.counts.value };
    for (const { order, changedAtMs } of queue.values()) {
      const before = next.get(order.id);
      const after = mergeOrder(before, order, changedAtMs);
      if (after === before) continue;
      next.set(order.id, after);
      const lane = laneOf(order.status);
      if (before) counts[laneOf(before.order.status)] -= 1;
      if (before || order.version === 1) counts[lane] += 1;
      this.#countLater(before || order.version === 1 ? 'known' : 'unknown');
    }
    batch(() => {
      this.orders.value = keepNewest(next, this.#limits);
      this.counts.value = perLane((lane) => Math.max(0, counts[lane]));
    });
  }

  #countLater(formerLane: keyof typeof COUNT_AFTER_MS): void {
    const delayMs = COUNT_AFTER_MS[formerLane] * (0.75 + Math.random() / 4);
    if (this.loading.value || this.#countAtMs <= Date.now() + delayMs) return;
    clearTimeout(this.#countTimer);
    this.#countAtMs = Date.now() + delayMs;
    this.#countTimer = setTimeout(() => void this.#count(), delayMs);
  }

  async #count(): Promise<void> {
    this.#countAtMs = Infinity;
    // A lane that has run short of cards is filled from the server.
    if (this.#isShort()) return this.#query();
    const query = this.#queries;
    const counts = await queryCounts(this.#client, this.#stopped.signal).catch(() => undefined);
    // A failed count is repeated with the next change; the loss of the connection shows by itself.
    if (counts && query === this.#queries && !this.#stopped.signal.aborted) {
      this.counts.value = counts;
      if (this.#isShort()) this.reload();
    }
  }

  #isShort(): boolean {
    const layout = layoutOf(this.orders.value);
    return lanes.some(
      ({ id }) => layout[id].length < Math.min(PAGE_SIZE, this.#limits[id], this.counts.value[id]),
    );
  }
}

import type { LiveClient } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import { orderSubscription } from './documents.ts';
import type { Order } from './order.ts';

export interface BasketContent {
  /** Pieces of each product, 1 to 999. */
  readonly quantities: ReadonlyMap<string, number>;
  readonly note: string;
}

const MAX_QUANTITY = 999;
/** Baskets of orders that may still be rejected. The oldest is dropped. */
const MAX_PLACED = 5;
const empty: BasketContent = { quantities: new Map(), note: '' };

/**
 * The basket of the page. It survives navigation. The basket of a placed order is kept until the order is past its
 * last possible rejection, and returns when the order is rejected and no new basket was begun.
 */
export class BasketStore {
  readonly #content = signal<BasketContent>(empty);
  readonly #client: LiveClient;
  readonly #announce: (text: string) => void;
  /** Unsubscribe function of each placed order, by order id. */
  readonly #placed = new Map<string, () => void>();

  constructor(client: LiveClient, announce: (text: string) => void) {
    this.#client = client;
    this.#announce = announce;
  }

  get content(): ReadonlySignal<BasketContent> {
    return this.#content;
  }

  setQuantity(productId: string, quantity: number): void {
    const quantities = new Map(this.#content.value.quantities);
    if (quantity > 0) quantities.set(productId, Math.min(quantity, MAX_QUANTITY));
    else quantities.delete(productId);
    this.#content.value = { ...this.#content.value, quantities };
  }

  setNote(note: string): void {
    this.#content.value = { ...this.#content.value, note };
  }

  /** Empties the basket: it has become this order. */
  placed(orderId: string): void {
    const content = this.#content.value;
    this.#content.value = empty;
    const stop = this.#client.subscribe<{ order: Order }>({
      query: orderSubscription,
      variables: { id: orderId },
      onResult: ({ data }) => {
        if (data?.order) this.#follow(data.order, content);
      },
      onError: () => this.#forget(orderId),
    });
    this.#placed.set(orderId, stop);
    const [oldest] = this.#placed.keys();
    if (this.#placed.size > MAX_PLACED && oldest !== undefined) this.#forget(oldest);
  }

  stop(): void {
    for (const orderId of [...this.#placed.keys()]) this.#forget(orderId);
  }

  #follow({ id, status }: Order, content: BasketContent): void {
    if (status === 'PLACED' || status === 'RESERVED') return;
    this.#forget(id);
    if (status !== 'REJECTED' || this.#content.value.quantities.size > 0) return;
    this.#content.value = content;
    this.#announce('The order was rejected. Its products are in the basket again.');
  }

  #forget(orderId: string): void {
    this.#placed.get(orderId)?.();
    this.#placed.delete(orderId);
  }
}

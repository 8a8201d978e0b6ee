import type { LiveClient, LiveClientError } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import { productsQuery, stockSubscription } from './documents.ts';
import type { Money } from './order.ts';

export interface Stock {
  readonly productId: string;
  readonly available: number;
  readonly version: number;
}

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly image: string;
  readonly price: Money;
  readonly stock: Stock;
}

export interface Catalogue {
  readonly products: ReadonlySignal<ReadonlyMap<string, Product>>;
  /** Message of the last error; '' when there is none. */
  readonly problem: ReadonlySignal<string>;
  /** Queries the catalogue again. */
  reload(): void;
  /** Subscribes to the stock of these products. Returns an unsubscribe function. */
  watchStock(productIds: readonly string[]): () => void;
  stop(): void;
}

interface QueryData {
  readonly products: { readonly edges: readonly { readonly node: Product }[] };
}

/** Loads the catalogue once; stock changes arrive for watched products. */
export function startCatalogue(client: LiveClient): Catalogue {
  const catalogue = new LiveCatalogue(client);
  void catalogue.load();
  return catalogue;
}

class LiveCatalogue implements Catalogue {
  readonly products = signal<ReadonlyMap<string, Product>>(new Map());
  readonly problem = signal('');
  readonly #client: LiveClient;
  /** Products whose next stock replaces the present one, whatever its version. */
  readonly #resets = new Set<string>();
  readonly #stopped = new AbortController();

  constructor(client: LiveClient) {
    this.#client = client;
  }

  async load(): Promise<void> {
    const { signal } = this.#stopped;
    try {
      const { data } = await this.#client.query<QueryData>({ query: productsQuery, signal });
      this.products.value = new Map((data?.products.edges ?? []).map(({ node }) => [node.id, node]));
    } catch (error) {
      if (!signal.aborted) this.problem.value = (error as LiveClientError).message;
    }
  }

  reload(): void {
    this.problem.value = '';
    void this.load();
  }

  watchStock(productIds: readonly string[]): () => void {
    const unsubscribes = productIds.map((productId) =>
      this.#client.subscribe<{ stock: Stock }>({
        query: stockSubscription,
        variables: { productId },
        onResult: ({ data }) => {
          if (data?.stock) this.#updateStock(data.stock);
        },
        // Versions may start again from 1.
        onReset: () => this.#resets.add(productId),
      }),
    );
    return () => unsubscribes.forEach((unsubscribe) => unsubscribe());
  }

  stop(): void {
    this.#stopped.abort();
  }

  #updateStock(stock: Stock): void {
    const product = this.products.value.get(stock.productId);
    if (!product) return;
    if (!this.#resets.delete(product.id) && product.stock.version >= stock.version) return;
    this.products.value = new Map(this.products.value).set(product.id, { ...product, stock });
  }
}

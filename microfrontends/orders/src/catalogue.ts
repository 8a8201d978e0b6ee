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
  readonly problem: ReadonlySignal<string>;
  /** Keeps the stock of these products live until the returned function is called. */
  watchStock(productIds: readonly string[]): () => void;
  stop(): void;
}

interface QueryData {
  readonly products: { readonly edges: readonly { readonly node: Product }[] };
}

export function startCatalogue(client: LiveClient): Catalogue {
  const products = signal<ReadonlyMap<string, Product>>(new Map());
  const problem = signal('');
  const stopped = new AbortController();

  const takeStock = (stock: Stock): void => {
    const product = products.value.get(stock.productId);
    if (!product || product.stock.version >= stock.version) return;
    products.value = new Map(products.value).set(product.id, { ...product, stock });
  };
  const load = async (): Promise<void> => {
    try {
      const { data } = await client.query<QueryData>({ query: productsQuery, signal: stopped.signal });
      products.value = new Map((data?.products.edges ?? []).map(({ node }) => [node.id, node]));
    } catch (error) {
      if (!stopped.signal.aborted) problem.value = (error as LiveClientError).message;
    }
  };
  void load();

  return {
    products,
    problem,
    watchStock(productIds) {
      const stops = productIds.map((productId) =>
        client.subscribe<{ stock: Stock }>({
          query: stockSubscription,
          variables: { productId },
          onResult: ({ data }) => {
            if (data?.stock) takeStock(data.stock);
          },
        }),
      );
      return () => stops.forEach((stop) => stop());
    },
    stop: () => stopped.abort(),
  };
}

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Basket } from './basket.tsx';
import type { OrdersContext } from './context.ts';
import { ProductTile } from './product-tile.tsx';
// oxlint-disable-next-line import/no-unassigned-import -- how Vite learns of styles
import './new-order.css';

/** Products with what is left of them, live, and the basket. */
export function NewOrder({ context }: { context: OrdersContext }) {
  const { catalogue } = context;
  const products = catalogue.products.value;
  const categories = useMemo(
    () => [...new Set([...products.values()].map(({ category }) => category))],
    [products.size],
  );
  const [category, setCategory] = useState<string>();
  const [quantities, setQuantities] = useState<ReadonlyMap<string, number>>(new Map());
  const chosen = category ?? categories[0];
  const shown = [...products.values()].filter((product) => product.category === chosen);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useWatchedStock(context, [...shown.map(({ id }) => id), ...quantities.keys()]);

  const setQuantity = (productId: string, quantity: number): void => {
    const next = new Map(quantities);
    if (quantity > 0) next.set(productId, Math.min(quantity, 999));
    else next.delete(productId);
    setQuantities(next);
  };

  return (
    <div class="new-order" data-testid="new-order">
      <div class="shop">
        <h1 ref={heading} tabIndex={-1}>
          New order
        </h1>
        {catalogue.problem.value !== '' && (
          <p class="notice bad" role="alert">
            The catalogue cannot be loaded: {catalogue.problem.value}
          </p>
        )}
        <div class="chips always" role="group" aria-label="Category">
          {categories.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={chosen === name}
              onClick={() => setCategory(name)}
            >
              {name}
            </button>
          ))}
        </div>
        <ul class="products">
          {shown.map((product) => (
            <ProductTile
              key={product.id}
              product={product}
              quantity={quantities.get(product.id) ?? 0}
              onQuantity={setQuantity}
            />
          ))}
        </ul>
      </div>
      <Basket
        context={context}
        quantities={quantities}
        onQuantity={setQuantity}
        onPlaced={() => setQuantities(new Map())}
      />
    </div>
  );
}

/** Subscribes to exactly these products; the list's text decides, since the list is a new one at each drawing. */
function useWatchedStock({ catalogue }: OrdersContext, productIds: readonly string[]): void {
  const wanted = [...new Set(productIds)].toSorted().join(' ');
  useEffect(() => (wanted === '' ? undefined : catalogue.watchStock(wanted.split(' '))), [wanted, catalogue]);
}

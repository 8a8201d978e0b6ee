import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Basket } from './basket.tsx';
import type { OrdersContext } from './context.ts';
import { ProductTile } from './product-tile.tsx';
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './new-order.css';

/** Products with their live stock, and the basket. */
export function NewOrder({ context }: { context: OrdersContext }) {
  const { catalogue } = context;
  const products = catalogue.products.value;
  const categories = useMemo(
    () => [...new Set([...products.values()].map(({ category }) => category))],
    [products.size],
  );
  const [category, setCategory] = useState<string>();
  const { basket } = context;
  const { quantities } = basket.content.value;
  const chosen = category ?? categories[0];
  const shown = [...products.values()].filter((product) => product.category === chosen);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useWatchedStock(context, [...shown.map(({ id }) => id), ...quantities.keys()]);

  return (
    <div class="new-order" data-testid="new-order">
      <div class="shop">
        <h1 ref={heading} tabIndex={-1}>
          New order
        </h1>
        {catalogue.problem.value !== '' && (
          <p class="notice bad" role="alert">
            The catalogue cannot be loaded: {catalogue.problem.value}{' '}
            <button type="button" onClick={() => catalogue.reload()}>
              Try again
            </button>
          </p>
        )}
        <Categories names={categories} chosen={chosen} onChoose={setCategory} />
        <ul class="products">
          {shown.map((product) => (
            <ProductTile
              key={product.id}
              product={product}
              quantity={quantities.get(product.id) ?? 0}
              onQuantity={(productId, quantity) => basket.setQuantity(productId, quantity)}
            />
          ))}
        </ul>
      </div>
      <Basket context={context} />
    </div>
  );
}

interface CategoriesProps {
  readonly names: readonly string[];
  readonly chosen: string | undefined;
  readonly onChoose: (name: string) => void;
}

function Categories({ names, chosen, onChoose }: CategoriesProps) {
  return (
    <div class="chips always" role="group" aria-label="Category">
      {names.map((name) => (
        <button
          key={name}
          type="button"
          class="chip"
          aria-pressed={chosen === name}
          onClick={() => onChoose(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

/** Subscribes to the stock of these products. The ids are compared as text: each rendering makes a new array. */
function useWatchedStock({ catalogue }: OrdersContext, productIds: readonly string[]): void {
  const wanted = [...new Set(productIds)].toSorted().join(' ');
  useEffect(() => (wanted === '' ? undefined : catalogue.watchStock(wanted.split(' '))), [wanted, catalogue]);
}

import type { Product } from './catalogue.ts';
import { formatMoney } from './format.ts';

interface ProductTileProps {
  readonly product: Product;
  readonly quantity: number;
  readonly onQuantity: (productId: string, quantity: number) => void;
}

const FEW = 10;

export function ProductTile({ product, quantity, onQuantity }: ProductTileProps) {
  const { id, name, description, image, price, stock } = product;
  const level = stock.available === 0 ? 'none' : stock.available < FEW ? 'few' : 'many';
  return (
    <li class="product" data-testid="product" data-product-id={id} data-chosen={quantity > 0}>
      <span class="picture" aria-hidden="true">
        {image}
      </span>
      <h3>{name}</h3>
      <p class="muted">{description}</p>
      <div class="product-foot">
        <strong>{formatMoney(price)}</strong>
        <span class="stock" data-level={level} data-testid="stock" data-version={stock.version}>
          {stock.available === 0 ? 'Sold out' : `${stock.available} left`}
        </span>
      </div>
      <Stepper
        name={name}
        quantity={quantity}
        available={stock.available}
        onChange={(next) => onQuantity(id, next)}
      />
    </li>
  );
}

interface StepperProps {
  readonly name: string;
  readonly quantity: number;
  /** Pieces in stock: no more can be added. */
  readonly available: number;
  readonly onChange: (quantity: number) => void;
}

export function Stepper({ name, quantity, available, onChange }: StepperProps) {
  if (quantity === 0) {
    return (
      <button
        type="button"
        class="add"
        data-testid="add-product"
        aria-label={available > 0 ? `Add ${name}` : `${name} is sold out`}
        disabled={available <= 0}
        onClick={() => onChange(1)}
      >
        Add
      </button>
    );
  }
  return (
    <div class="stepper" role="group" aria-label={`Quantity of ${name}`}>
      <button type="button" aria-label={`One ${name} less`} onClick={() => onChange(quantity - 1)}>
        −
      </button>
      <input
        type="number"
        min={0}
        max={Math.min(999, Math.max(quantity, available))}
        value={quantity}
        aria-label={`Quantity of ${name}`}
        onChange={(event) => {
          const wanted = Math.trunc(event.currentTarget.valueAsNumber) || 0;
          // An amount that was chosen before the stock fell may stay, but not grow.
          const allowed = Math.min(wanted, Math.max(quantity, available));
          event.currentTarget.value = String(allowed);
          onChange(allowed);
        }}
      />
      <button
        type="button"
        aria-label={`One ${name} more`}
        disabled={quantity >= available}
        onClick={() => onChange(quantity + 1)}
      >
        +
      </button>
    </div>
  );
}

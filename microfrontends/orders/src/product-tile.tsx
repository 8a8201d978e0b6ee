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
      <Stepper name={name} quantity={quantity} onChange={(next) => onQuantity(id, next)} />
    </li>
  );
}

interface StepperProps {
  readonly name: string;
  readonly quantity: number;
  readonly onChange: (quantity: number) => void;
}

export function Stepper({ name, quantity, onChange }: StepperProps) {
  if (quantity === 0) {
    return (
      <button
        type="button"
        class="add"
        data-testid="add-product"
        aria-label={`Add ${name}`}
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
        max={999}
        value={quantity}
        aria-label={`Quantity of ${name}`}
        onChange={(event) => onChange(Math.trunc(event.currentTarget.valueAsNumber) || 0)}
      />
      <button type="button" aria-label={`One ${name} more`} onClick={() => onChange(quantity + 1)}>
        +
      </button>
    </div>
  );
}

import type { OrdersContext } from './context.ts';
import { formatMoney } from './format.ts';
import type { Order, OrderLine } from './order.ts';

interface OrderItemsProps {
  readonly order: Order;
  readonly context: OrdersContext;
}

/** Lines and total of an order. Names and pictures come from the catalogue as soon as it is loaded. */
export function OrderItems({ order, context }: OrderItemsProps) {
  return (
    <ul class="items">
      {order.lines.map((line) => (
        <Item key={line.productId} line={line} context={context} />
      ))}
      <li class="total">
        <span />
        <span>Total</span>
        <span class="amount">{formatMoney(order.total)}</span>
      </li>
    </ul>
  );
}

function Item({ line, context }: { line: OrderLine; context: OrdersContext }) {
  const { productId, quantity, unitPrice } = line;
  const product = context.catalogue.products.value.get(productId);
  return (
    <li>
      <span class="picture" aria-hidden="true">
        {product?.image}
      </span>
      <span>
        {product?.name ?? productId}
        <span class="muted">
          {' '}
          {quantity} × {formatMoney(unitPrice)}
        </span>
      </span>
      <span class="amount">
        {formatMoney({ ...unitPrice, amountCents: unitPrice.amountCents * quantity })}
      </span>
    </li>
  );
}

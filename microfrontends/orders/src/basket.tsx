import { useState } from 'preact/hooks';
import type { BasketStore } from './basket-store.ts';
import type { Product } from './catalogue.ts';
import { newCommandId, placeOrder } from './commands.ts';
import type { OrdersContext } from './context.ts';
import { formatMoney } from './format.ts';
import type { Rejection } from './order.ts';
import { Stepper } from './product-tile.tsx';

export function Basket({ context }: { context: OrdersContext }) {
  const { basket } = context;
  const { quantities, note } = basket.content.value;
  const { busy, problem, place } = usePlaceOrder(context);
  const products = context.catalogue.products.value;
  const lines = [...quantities].flatMap(([productId, quantity]) => {
    const product = products.get(productId);
    return product ? [{ product, quantity }] : [];
  });
  const amountCents = lines.reduce(
    (sum, { product, quantity }) => sum + product.price.amountCents * quantity,
    0,
  );
  const currency = lines[0]?.product.price.currency ?? 'EUR';
  return (
    <form class="basket" aria-label="Basket" data-testid="basket" onSubmit={place}>
      <h2>Basket</h2>
      {lines.length === 0 && <p class="muted">Add something to order it.</p>}
      <ul class="items">
        {lines.map(({ product, quantity }) => (
          <BasketLine key={product.id} product={product} quantity={quantity} basket={basket} />
        ))}
      </ul>
      <label class="note">
        A word to the shop
        <textarea
          name="note"
          rows={2}
          maxLength={500}
          value={note}
          onInput={(event) => basket.setNote(event.currentTarget.value)}
        />
      </label>
      {problem && (
        <p class="notice bad" role="alert" data-testid="rejection" data-code={problem.code}>
          {problem.message} <code>{problem.code}</code>
        </p>
      )}
      <button
        type="submit"
        class="primary wide"
        data-testid="place-order"
        disabled={busy || lines.length === 0}
      >
        {busy
          ? 'Placing…'
          : lines.length === 0
            ? 'Place order'
            : `Place order · ${formatMoney({ amountCents, currency })}`}
      </button>
    </form>
  );
}

interface BasketLineProps {
  readonly product: Product;
  readonly quantity: number;
  readonly basket: BasketStore;
}

function BasketLine({ product: { id, name, image, stock }, quantity, basket }: BasketLineProps) {
  return (
    <li>
      <span class="picture" aria-hidden="true">
        {image}
      </span>
      <span>
        {name}
        {quantity > stock.available && (
          <span class="short" role="status">
            {stock.available === 0 ? 'Sold out' : `Only ${stock.available} left`}
          </span>
        )}
      </span>
      <Stepper
        name={name}
        quantity={quantity}
        available={stock.available}
        onChange={(next) => basket.setQuantity(id, next)}
      />
    </li>
  );
}

function usePlaceOrder(context: OrdersContext) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Rejection>();
  /** Command without an answer. A retry of the same order reuses its id, so that it is carried out once. */
  const [unsettled, setUnsettled] = useState<{ commandId: string; text: string }>();

  const place = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { quantities, note } = context.basket.content.value;
    const order = {
      lines: [...quantities].map(([productId, quantity]) => ({ productId, quantity })),
      ...(note.trim() !== '' && { note: note.trim() }),
    };
    const text = JSON.stringify(order);
    const commandId = unsettled?.text === text ? unsettled.commandId : newCommandId();
    setBusy(true);
    setProblem(undefined);
    const outcome = await placeOrder(context.client, { commandId, ...order });
    setBusy(false);
    setUnsettled(outcome.status === 'unknown' ? { commandId, text } : undefined);
    if (outcome.status !== 'accepted') return setProblem(outcome.reason);
    context.basket.placed(outcome.orderId);
    context.announce('The order is placed.');
    context.navigate(`/orders/${outcome.orderId}`);
  };
  return { busy, problem, place: (event: SubmitEvent) => void place(event) };
}

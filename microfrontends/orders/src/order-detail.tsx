import { useEffect, useRef, useState } from 'preact/hooks';
import { cancelOrder } from './commands.ts';
import type { OrdersContext } from './context.ts';
import { formatMoney, formatTime } from './format.ts';
import { mergeOrder, type TrackedOrder } from './order-collection.ts';
import { orderSubscription } from './documents.ts';
import { isCancellable, statusLabels, type Order } from './order.ts';
import { Timeline } from './timeline.tsx';
// oxlint-disable-next-line import/no-unassigned-import -- how Vite learns of styles
import './order-detail.css';

interface OrderDetailProps {
  readonly id: string;
  readonly context: OrdersContext;
}

/** One order, live by a subscription of its own: it need not be on the board. */
export function OrderDetail({ id, context }: OrderDetailProps) {
  const { tracked, problem } = useOrder(id, context);
  const heading = useRef<HTMLHeadingElement>(null);
  // Who opens an order by keyboard or screen reader is taken to it.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id]);
  return (
    <aside
      class="detail"
      aria-label={`Order ${id}`}
      data-testid="order-detail"
      data-order-id={id}
      data-status={tracked?.order.status}
    >
      <div class="detail-head">
        <h2 ref={heading} tabIndex={-1}>
          Order <span class="order-id">{id}</span>
        </h2>
        <button type="button" class="close" aria-label="Close" onClick={() => context.navigate('/')}>
          ✕
        </button>
      </div>
      {problem !== '' && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      {!tracked && problem === '' && <p class="muted">Loading…</p>}
      {tracked && <Details tracked={tracked} context={context} />}
    </aside>
  );
}

function useOrder(id: string, { client, store }: OrdersContext) {
  const [own, setOwn] = useState<TrackedOrder>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    setProblem('');
    setOwn(undefined);
    return client.subscribe<{ order: Order }>({
      query: orderSubscription,
      variables: { id },
      onResult: ({ data }) => {
        if (data?.order) setOwn((current) => mergeOrder(current, data.order));
      },
      onError: ({ code, message }) =>
        setProblem(code === 'NOT_FOUND' ? 'There is no such order, or it is not yours.' : message),
    });
  }, [id, client]);
  // The board has seen more of the way; this subscription may be a moment ahead.
  const shared = store.orders.value.get(id);
  const tracked = own && shared ? mergeOrder(shared, own.order) : (own ?? shared);
  return { tracked, problem: tracked ? '' : problem };
}

function Details({ tracked, context }: { tracked: TrackedOrder; context: OrdersContext }) {
  const { order } = tracked;
  const { catalogue } = context;
  return (
    <>
      <p class="visually-hidden" role="status">
        {statusLabels[order.status]}
      </p>
      {order.rejection && (
        <p class="notice bad" data-testid="rejection">
          <strong>{statusLabels[order.status]}:</strong> {order.rejection.message}{' '}
          <code>{order.rejection.code}</code>
        </p>
      )}
      <Timeline tracked={tracked} />
      <h3>Items</h3>
      <ul class="items">
        {order.lines.map(({ productId, quantity, unitPrice }) => {
          const product = catalogue.products.value.get(productId);
          return (
            <li key={productId}>
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
        })}
        <li class="total">
          <span />
          <span>Total</span>
          <span class="amount">{formatMoney(order.total)}</span>
        </li>
      </ul>
      <dl class="facts">
        <Fact name="Customer" value={order.customerId} />
        <Fact name="Placed" value={formatTime(order.placedAt)} />
        <Fact
          name="Payment"
          value={
            order.payment &&
            [readable(order.payment.status), order.payment.reference].filter(Boolean).join(' · ')
          }
        />
        <Fact name="Carrier" value={order.shipment?.carrier} />
        <Fact name="Tracking" value={order.shipment?.trackingCode} />
        <Fact name="Note" value={order.note} />
      </dl>
      <CancelButton order={order} context={context} />
    </>
  );
}

function Fact({ name, value }: { name: string; value: string | null | undefined }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function CancelButton({ order, context }: { order: Order; context: OrdersContext }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  if (!isCancellable(order)) return null;
  const cancel = async (): Promise<void> => {
    setBusy(true);
    const outcome = await cancelOrder(context.client, order.id);
    setBusy(false);
    if (outcome.status === 'accepted') context.announce('The order is cancelled.');
    else setProblem(outcome.reason.message);
  };
  return (
    <div class="actions">
      <button
        type="button"
        class="danger"
        data-testid="cancel-order"
        disabled={busy}
        onClick={() => void cancel()}
      >
        {busy ? 'Cancelling…' : 'Cancel order'}
      </button>
      {problem !== '' && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function readable(code: string): string {
  return code.charAt(0) + code.slice(1).toLowerCase();
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { CancelButton } from './cancel-button.tsx';
import type { OrdersContext } from './context.ts';
import { orderSubscription } from './documents.ts';
import { OrderFacts } from './order-facts.tsx';
import { OrderItems } from './order-items.tsx';
import { mergeOrder, type TrackedOrder } from './order-collection.ts';
import { statusLabels, type Order } from './order.ts';
import { Timeline } from './timeline.tsx';
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './order-detail.css';

interface OrderDetailProps {
  readonly id: string;
  readonly context: OrdersContext;
}

/** One order with its own subscription: it need not be on the board. */
export function OrderDetail({ id, context }: OrderDetailProps) {
  const { tracked, problem, isStale } = useOrder(id, context);
  const heading = useRef<HTMLHeadingElement>(null);
  // Moves the focus to the opened order, for keyboard and screen reader.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id]);
  return (
    <aside
      class="detail"
      aria-label={`Order ${id}`}
      data-testid="order-detail"
      data-order-id={id}
      data-status={tracked?.order.status}
      data-stale={isStale}
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

/** Subscribes to one order. `isStale` is true while its present state is not known. */
function useOrder(id: string, { client, store }: OrdersContext) {
  const [own, setOwn] = useState<TrackedOrder>();
  const [problem, setProblem] = useState('');
  const [isLive, setLive] = useState(false);
  useEffect(() => {
    setProblem('');
    setOwn(undefined);
    return client.subscribe<{ order: Order }>({
      query: orderSubscription,
      variables: { id },
      onResult: ({ data }) => {
        if (data?.order) setOwn((current) => mergeOrder(current, data.order));
      },
      // Versions may start again from 1: the snapshot that follows replaces the order.
      onReset: () => setOwn(undefined),
      onPhase: (phase) => setLive(phase === 'live'),
      onError: ({ code, message }) => {
        setLive(false);
        setOwn(undefined);
        setProblem(code === 'NOT_FOUND' ? 'There is no such order, or it is not yours.' : message);
      },
    });
  }, [id, client]);
  const tracked = own ?? (problem === '' ? store.orders.value.get(id) : undefined);
  return { tracked, problem, isStale: tracked !== undefined && !isLive };
}

function Details({ tracked, context }: { tracked: TrackedOrder; context: OrdersContext }) {
  const { order } = tracked;
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
      <Timeline order={order} />
      <h3>Items</h3>
      <OrderItems order={order} context={context} />
      <OrderFacts order={order} />
      <CancelButton key={order.id} order={order} context={context} />
    </>
  );
}

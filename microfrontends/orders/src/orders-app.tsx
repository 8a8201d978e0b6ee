import type { ReadonlySignal } from '@preact/signals';
import { Board } from './board.tsx';
import type { OrdersContext } from './context.ts';
import { NewOrder } from './new-order.tsx';
import { OrderDetail } from './order-detail.tsx';

export interface OrdersAppProps {
  readonly context: OrdersContext;
  readonly path: ReadonlySignal<string>;
  readonly announcement: ReadonlySignal<string>;
}

export function OrdersApp({ context, path, announcement }: OrdersAppProps) {
  const orderId = /^\/orders\/([^/]+)$/.exec(path.value)?.[1];
  return (
    <div class="orders" data-detail={orderId !== undefined}>
      {path.value === '/new' ? (
        <NewOrder context={context} />
      ) : (
        <Board context={context} selectedId={orderId} />
      )}
      {orderId !== undefined && <OrderDetail id={decodeURIComponent(orderId)} context={context} />}
      <p class="toast" role="status" data-testid="announcement" data-empty={announcement.value === ''}>
        {announcement.value}
      </p>
    </div>
  );
}

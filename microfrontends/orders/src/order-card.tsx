import type { OrdersContext } from './context.ts';
import { followInside } from './follow-inside.ts';
import { formatAge, formatMoney, shortId } from './format.ts';
import { laneOf, type LaneId } from './lanes.ts';
import type { TrackedOrder } from './order-collection.ts';
import { isFinished, statusLabels, type OrderLine } from './order.ts';

interface OrderCardProps {
  readonly tracked: TrackedOrder;
  readonly context: OrdersContext;
  readonly selected: boolean;
  /** Lane that shows the card. While the board is held, the order may have left it. */
  readonly lane: LaneId;
}

export function OrderCard({ tracked: { order, changedAtMs }, context, selected, lane }: OrderCardProps) {
  const { navigate, viewer, nowMs, catalogue } = context;
  const first = order.lines[0];
  const products = catalogue.products.value;
  return (
    <li>
      <a
        class="card"
        href={`/orders/${order.id}`}
        onClick={(event) => followInside(event, navigate)}
        aria-current={selected ? 'true' : undefined}
        data-testid="order-row"
        data-order-id={order.id}
        data-status={order.status}
        // Another animation of the same look restarts the highlight; a new element would lose focus and pointer.
        data-changed={changedAtMs === undefined ? 'no' : order.version % 2 === 0 ? 'even' : 'odd'}
      >
        <span class="card-head">
          <span class="order-id">{shortId(order.id)}</span>
          <time dateTime={order.updatedAt}>{formatAge(order.updatedAt, nowMs.value)}</time>
        </span>
        <span class="card-line">
          <span class="picture" aria-hidden="true">
            {first && products.get(first.productId)?.image}
          </span>
          <span>{describeLines(order.lines, (id) => products.get(id)?.name ?? id)}</span>
        </span>
        {order.rejection && <span class="card-reason">{order.rejection.message}</span>}
        <span class="card-foot">
          <strong>{formatMoney(order.total)}</strong>
          {viewer.role !== 'customer' && <span>{order.customerId}</span>}
          {(isFinished(order) || laneOf(order.status) !== lane) && (
            <span class="badge" data-status={order.status}>
              {statusLabels[order.status]}
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

function describeLines(lines: readonly OrderLine[], nameOf: (id: string) => string): string {
  const first = lines[0];
  if (!first) return 'Nothing';
  const name = `${first.quantity > 1 ? `${first.quantity} × ` : ''}${nameOf(first.productId)}`;
  return lines.length > 1 ? `${name} and ${lines.length - 1} more` : name;
}

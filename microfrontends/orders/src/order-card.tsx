import type { OrdersContext } from './context.ts';
import { followInside } from './follow-inside.ts';
import { formatAge, formatMoney, shortId } from './format.ts';
import type { TrackedOrder } from './order-collection.ts';
import { isFinished, statusLabels, type OrderLine } from './order.ts';

interface OrderCardProps {
  readonly tracked: TrackedOrder;
  readonly context: OrdersContext;
  readonly selected: boolean;
}

export function OrderCard({ tracked: { order, changedAtMs }, context, selected }: OrderCardProps) {
  const { navigate, viewer, nowMs, catalogue } = context;
  const first = order.lines[0];
  const products = catalogue.products.value;
  return (
    <li>
      <a
        // A new key replaces the element, which restarts its highlight animation.
        key={changedAtMs}
        class="card"
        href={`/orders/${order.id}`}
        onClick={(event) => followInside(event, navigate)}
        aria-current={selected ? 'true' : undefined}
        data-testid="order-row"
        data-order-id={order.id}
        data-status={order.status}
        data-changed={changedAtMs !== undefined}
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
          {isFinished(order) && (
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

import { formatMoment } from './format.ts';
import { happyPath, statusLabels, type Order, type OrderStatus } from './order.ts';

type Progress = 'done' | 'now' | 'next' | 'ended';

/** Steps of an order, past and future. Past steps show their time. */
export function Timeline({ order }: { order: Order }) {
  const times = new Map(order.steps.map(({ status, at }) => [status, at]));
  return (
    <ol class="timeline" data-testid="timeline">
      {waypoints(order).map(({ status, progress }) => {
        const at = times.get(status);
        return (
          <li
            key={status}
            data-status={status}
            data-progress={progress}
            aria-current={progress === 'now' ? 'step' : undefined}
          >
            <span>{statusLabels[status]}</span>
            {at !== undefined && progress !== 'next' && <time dateTime={at}>{formatMoment(at)}</time>}
          </li>
        );
      })}
    </ol>
  );
}

function waypoints(order: Order): { status: OrderStatus; progress: Progress }[] {
  const reached = happyPath.findIndex((status) => status === order.status);
  if (reached >= 0) {
    return happyPath.map((status, index) => ({
      status,
      progress:
        index < reached || (status === 'DELIVERED' && order.status === 'DELIVERED')
          ? 'done'
          : index === reached
            ? 'now'
            : 'next',
    }));
  }
  // Rejected or cancelled: the steps before, then the final status.
  const before = order.steps.filter(({ status }) => status !== order.status);
  return [
    ...before.map(({ status }) => ({ status, progress: 'done' as const })),
    { status: order.status, progress: 'ended' },
  ];
}

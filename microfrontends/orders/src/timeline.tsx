import { formatMoment } from './format.ts';
import type { TrackedOrder } from './order-collection.ts';
import { happyPath, statusLabels, type OrderStatus } from './order.ts';

type Progress = 'done' | 'now' | 'next' | 'ended';

/** Steps of an order, past and future. Past steps show their time where this page knows it. */
export function Timeline({ tracked }: { tracked: TrackedOrder }) {
  const times = new Map(tracked.steps.map(({ status, at }) => [status, at]));
  return (
    <ol class="timeline" data-testid="timeline">
      {waypoints(tracked).map(({ status, progress }) => {
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

function waypoints({ order, steps }: TrackedOrder): { status: OrderStatus; progress: Progress }[] {
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
  // Rejected or cancelled: the steps seen so far, then the final status.
  const before = steps.filter(({ status }) => status !== order.status);
  return [
    ...before.map(({ status }) => ({ status, progress: 'done' as const })),
    { status: order.status, progress: 'ended' },
  ];
}

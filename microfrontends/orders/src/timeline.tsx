import { formatTime } from './format.ts';
import type { TrackedOrder } from './order-collection.ts';
import { happyPath, statusLabels, type OrderStatus } from './order.ts';

type Progress = 'done' | 'now' | 'next' | 'ended';

/** The way of an order: what is behind it with the time where this page knows it, and what is ahead. */
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
            {at !== undefined && progress !== 'next' && <time dateTime={at}>{formatTime(at)}</time>}
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
  // Rejected or cancelled: what was seen of the way, and its end.
  const before = steps.filter(({ status }) => status !== order.status);
  return [
    ...before.map(({ status }) => ({ status, progress: 'done' as const })),
    { status: order.status, progress: 'ended' },
  ];
}

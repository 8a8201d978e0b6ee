import { useState } from 'preact/hooks';
import type { OrdersContext } from './context.ts';
import { OrderCard } from './order-card.tsx';
import type { OrderCollection, TrackedOrder } from './order-collection.ts';
import type { OrderStatus } from './order.ts';
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './board.css';

interface Lane {
  readonly name: string;
  readonly statuses: readonly OrderStatus[];
}

const lanes: readonly Lane[] = [
  { name: 'Placed', statuses: ['PLACED'] },
  { name: 'Reserved', statuses: ['RESERVED'] },
  { name: 'Confirmed', statuses: ['CONFIRMED'] },
  { name: 'Preparing', statuses: ['PREPARING'] },
  { name: 'Dispatched', statuses: ['DISPATCHED'] },
  { name: 'Finished', statuses: ['DELIVERED', 'REJECTED', 'CANCELLED'] },
];
/** Maximum cards rendered per lane; the rest are counted. */
const MAX_CARDS = 40;

/** All orders that the viewer may see, in one lane per stage. */
export function Board({ context, selectedId }: { context: OrdersContext; selectedId: string | undefined }) {
  const { store, navigate } = context;
  const [chosen, setChosen] = useState('All');
  const grouped = groupByLane(store.orders.value);
  const count = store.orders.value.size;
  return (
    <div class="board" data-chosen={chosen} data-testid="board">
      <div class="board-head">
        <h1>Orders</h1>
        <p class="muted" data-testid="count">
          {count === 1 ? '1 order' : `${count} orders`}
        </p>
        <button type="button" class="primary" onClick={() => navigate('/new')}>
          New order
        </button>
      </div>
      {store.problem.value !== '' && (
        <p class="notice bad" role="alert">
          Orders cannot be loaded: {store.problem.value}{' '}
          <button type="button" onClick={() => store.reload()}>
            Try again
          </button>
        </p>
      )}
      <div class="chips" role="group" aria-label="Show only">
        {['All', ...lanes.map(({ name }) => name)].map((name) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={chosen === name}
            onClick={() => setChosen(name)}
          >
            {name} <span class="count">{name === 'All' ? count : (grouped.get(name)?.length ?? 0)}</span>
          </button>
        ))}
      </div>
      {count === 0 && !store.loading.value && store.problem.value === '' && (
        <p class="empty">There are no orders yet. The next one appears here by itself.</p>
      )}
      <div class="lanes">
        {lanes.map(({ name }) => (
          <LaneColumn
            key={name}
            name={name}
            cards={grouped.get(name) ?? []}
            context={context}
            selectedId={selectedId}
            chosen={chosen}
          />
        ))}
      </div>
    </div>
  );
}

interface LaneColumnProps {
  readonly name: string;
  readonly cards: readonly TrackedOrder[];
  readonly context: OrdersContext;
  readonly selectedId: string | undefined;
  readonly chosen: string;
}

function LaneColumn({ name, cards, context, selectedId, chosen }: LaneColumnProps) {
  const hidden = cards.length - MAX_CARDS;
  return (
    <section
      class="lane"
      data-lane={name}
      data-empty={cards.length === 0}
      data-off={chosen !== 'All' && chosen !== name}
      aria-label={name}
    >
      <h2>
        {name} <span class="count">{cards.length}</span>
      </h2>
      <ul>
        {cards.slice(0, MAX_CARDS).map((tracked) => (
          <OrderCard
            key={tracked.order.id}
            tracked={tracked}
            context={context}
            selected={tracked.order.id === selectedId}
          />
        ))}
      </ul>
      {hidden > 0 && <p class="muted more">and {hidden} more</p>}
    </section>
  );
}

function groupByLane(orders: OrderCollection): Map<string, TrackedOrder[]> {
  const laneOf = new Map(lanes.flatMap(({ name, statuses }) => statuses.map((status) => [status, name])));
  const newestFirst = [...orders.values()].toSorted((one, other) =>
    other.order.updatedAt.localeCompare(one.order.updatedAt),
  );
  return Map.groupBy(newestFirst, ({ order }) => laneOf.get(order.status) ?? 'Finished');
}

import { useRef, useState } from 'preact/hooks';
import type { OrdersContext } from './context.ts';
import { formatTime } from './format.ts';
import { lanes, perLane, type LaneId } from './lanes.ts';
import { OrderCard } from './order-card.tsx';
import type { TrackedOrder } from './order-collection.ts';
import { useHeldLayout, type HeldLayout } from './use-held-layout.ts';
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './board.css';

/** All orders that the viewer may see, in one lane per stage. */
export function Board({ context, selectedId }: { context: OrdersContext; selectedId: string | undefined }) {
  const { store } = context;
  const [chosen, setChosen] = useState<LaneId | 'all'>('all');
  const element = useRef<HTMLDivElement>(null);
  const held = useHeldLayout(element, store.orders.value, store.replacements.value);
  const isLoading = store.loading.value;
  const isEmpty = !isLoading && totalOf(context) === 0 && store.problem.value === '';
  return (
    <div
      class="board"
      data-chosen={chosen}
      data-testid="board"
      data-stale={store.asOfMs.value !== undefined}
      aria-busy={isLoading}
    >
      <BoardHead context={context} />
      {store.problem.value !== '' && (
        <p class="notice bad" role="alert">
          Orders cannot be loaded: {store.problem.value}{' '}
          <button type="button" onClick={() => store.reload()}>
            Try again
          </button>
        </p>
      )}
      <Chips context={context} chosen={chosen} onChoose={setChosen} />
      {isEmpty && <p class="empty">There are no orders yet. The next one appears here by itself.</p>}
      <div class="lanes" ref={element} data-loading={isLoading}>
        {lanes.map(({ id, name }) => (
          <LaneColumn
            key={id}
            id={id}
            name={name}
            cards={cardsOf(held, id)}
            context={context}
            selectedId={selectedId}
            isOff={chosen !== 'all' && chosen !== id}
          />
        ))}
      </div>
      <div class="held" role="status">
        {held.changes > 0 && (
          <button type="button" data-testid="show-changes" onClick={held.release}>
            {held.changes === 1 ? '1 change' : `${held.changes} changes`}, show
          </button>
        )}
      </div>
    </div>
  );
}

function BoardHead({ context: { store, navigate } }: { context: OrdersContext }) {
  const count = totalOf({ store });
  const asOfMs = store.asOfMs.value;
  return (
    <div class="board-head">
      <h1>Orders</h1>
      <p class="muted" data-testid="count" data-count={count}>
        {store.loading.value ? 'Loading…' : count === 1 ? '1 order' : `${count} orders`}
        {asOfMs !== undefined && ` as of ${formatTime(new Date(asOfMs).toISOString())}`}
      </p>
      <button type="button" class="primary" onClick={() => navigate('/new')}>
        New order
      </button>
    </div>
  );
}

interface ChipsProps {
  readonly context: OrdersContext;
  readonly chosen: LaneId | 'all';
  readonly onChoose: (lane: LaneId | 'all') => void;
}

/** Choice of one lane, on a phone. */
function Chips({ context, chosen, onChoose }: ChipsProps) {
  const counts = context.store.counts.value;
  return (
    <div class="chips" role="group" aria-label="Show only">
      {[{ id: 'all' as const, name: 'All' }, ...lanes].map(({ id, name }) => (
        <button key={id} type="button" class="chip" aria-pressed={chosen === id} onClick={() => onChoose(id)}>
          {name} <span class="count">{id === 'all' ? totalOf(context) : counts[id]}</span>
        </button>
      ))}
    </div>
  );
}

interface LaneColumnProps {
  readonly id: LaneId;
  readonly name: string;
  readonly cards: readonly TrackedOrder[];
  readonly context: OrdersContext;
  readonly selectedId: string | undefined;
  readonly isOff: boolean;
}

function LaneColumn({ id, name, cards, context, selectedId, isOff }: LaneColumnProps) {
  const count = context.store.counts.value[id];
  const hidden = count - cards.length;
  return (
    <section
      class="lane"
      data-lane={name}
      data-empty={cards.length === 0 && count === 0}
      data-off={isOff}
      aria-label={name}
    >
      <h2>
        {name}{' '}
        <span class="count" data-testid="lane-count">
          {count}
        </span>
      </h2>
      <ul>
        {cards.map((tracked) => (
          <OrderCard
            key={tracked.order.id}
            tracked={tracked}
            context={context}
            selected={tracked.order.id === selectedId}
            lane={id}
          />
        ))}
      </ul>
      {hidden > 0 && (
        <p class="muted more">
          and {hidden} more{' '}
          <button type="button" data-testid="show-more" onClick={() => context.store.showMore(id)}>
            Show more
          </button>
        </p>
      )}
    </section>
  );
}

function cardsOf({ layout, orders }: HeldLayout, lane: LaneId): readonly TrackedOrder[] {
  return layout[lane].flatMap((id) => orders.get(id) ?? []);
}

function totalOf({ store }: Pick<OrdersContext, 'store'>): number {
  const counts = store.counts.value;
  return Object.values(perLane((lane) => counts[lane])).reduce((sum, count) => sum + count, 0);
}

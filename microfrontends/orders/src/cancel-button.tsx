import { useEffect, useRef, useState } from 'preact/hooks';
import { cancelOrder, newCommandId } from './commands.ts';
import type { OrdersContext } from './context.ts';
import { isCancellable, type Order } from './order.ts';

/** Cancels an order after a question. */
export function CancelButton({ order, context }: { order: Order; context: OrdersContext }) {
  const [state, setState] = useState<'idle' | 'asking' | 'busy'>('idle');
  const [problem, setProblem] = useState('');
  /** One command for all attempts, so that a retry after a lost answer is carried out once. */
  const commandId = useRef('');
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), [state]);
  if (!isCancellable(order)) return null;
  const cancel = async (): Promise<void> => {
    setState('busy');
    setProblem('');
    commandId.current ||= newCommandId();
    const outcome = await cancelOrder(context.client, { commandId: commandId.current, orderId: order.id });
    setState('idle');
    if (outcome.status !== 'unknown') commandId.current = '';
    if (outcome.status === 'accepted') context.announce('The order is cancelled.');
    else setProblem(outcome.reason.message);
  };
  return (
    <div class="actions">
      {state === 'asking' ? (
        <div role="group" aria-label="Cancel this order?" class="question">
          <p>Cancel this order? This cannot be undone.</p>
          <button type="button" class="danger" data-testid="confirm-cancel" onClick={() => void cancel()}>
            Yes, cancel it
          </button>
          <button type="button" data-testid="keep-order" ref={keep} onClick={() => setState('idle')}>
            Keep it
          </button>
        </div>
      ) : (
        <button
          type="button"
          class="danger"
          data-testid="cancel-order"
          disabled={state === 'busy'}
          onClick={() => setState('asking')}
        >
          {state === 'busy' ? 'Cancelling…' : 'Cancel order'}
        </button>
      )}
      {problem !== '' && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

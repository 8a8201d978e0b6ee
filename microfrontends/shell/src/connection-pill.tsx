import { useEffect, useState } from 'preact/hooks';
import { describeStatus } from './connection-status.ts';
import type { Session } from './session.ts';

export interface ConnectionPillProps {
  readonly session: Session;
  readonly onSignIn: () => void;
}

/** State of the connection, with a way out of each state that is not live. */
export function ConnectionPill({ session, onSignIn }: ConnectionPillProps) {
  const status = session.status.value;
  const nowMs = useNow(status.at === 'offline');
  const text = describeStatus(status, nowMs);
  return (
    <span class="connection">
      <span
        class="phase"
        data-testid="phase"
        data-phase={status.at}
        title={'reason' in status ? status.reason : text}
      >
        {/* A screen reader hears the change of state, not every second. */}
        <span class="visually-hidden" role="status">
          {status.at === 'offline' ? 'Offline' : text}
        </span>
        <span aria-hidden="true">{text}</span>
      </span>
      {status.at === 'offline' && (
        <button
          type="button"
          data-testid="retry-now"
          disabled={status.isTrying}
          onClick={() => session.client.retryNow()}
        >
          Retry now
        </button>
      )}
      {(status.at === 'signed-out' || status.at === 'refused') && (
        <button type="button" data-testid="sign-in-again" onClick={onSignIn}>
          {status.at === 'refused' ? 'Connect again' : 'Sign in again'}
        </button>
      )}
    </span>
  );
}

/** Returns the current time, updated each second while it is needed. */
function useNow(isNeeded: boolean): number {
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!isNeeded) return;
    const timer = setInterval(() => redraw((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return Date.now();
}

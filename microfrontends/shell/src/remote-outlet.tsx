import type { MountContext } from '@tidegate/live-client/micro-frontend';
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { MountedRemote, type RemoteOptions } from './mounted-remote.ts';

export interface RemoteOutletProps {
  readonly name: string;
  readonly title: string;
  readonly context: Omit<MountContext, 'fail'>;
}

/** A skeleton for a shorter load would only flicker. */
const SKELETON_AFTER_MS = 250;
/** After this time the viewer is told and offered a retry. */
const SLOW_AFTER_MS = 6_000;

type State =
  | { at: 'loading' }
  | { at: 'waiting' }
  | { at: 'slow' }
  | { at: 'shown' }
  | { at: 'failed'; reason: string };

/** Place of one remote on the page. Isolates its failures: the rest of the page continues. */
export function RemoteOutlet({ name, title, context }: RemoteOutletProps) {
  const element = useRef<HTMLDivElement>(null);
  const [attempt, setAttempt] = useState(1);
  const state = useRemote(element, { name, attempt, context });
  return (
    <section class="outlet" data-testid="outlet" data-remote={name} data-state={state.at} aria-label={title}>
      <div ref={element} data-mfe={name} hidden={state.at !== 'shown'} />
      {(state.at === 'waiting' || state.at === 'slow') && (
        <Skeleton title={title} slow={state.at === 'slow'} onRetry={() => setAttempt(attempt + 1)} />
      )}
      {state.at === 'failed' && (
        <div class="placeholder" role="alert" data-testid="placeholder">
          <h2>{title} cannot be shown right now</h2>
          <p>The rest of the page works. {state.reason}</p>
          <button type="button" data-testid="retry" onClick={() => setAttempt(attempt + 1)}>
            Try again
          </button>
        </div>
      )}
    </section>
  );
}

/** Loads a remote and mounts it in the element, until the options change or the component unmounts. */
function useRemote(
  element: RefObject<HTMLDivElement | null>,
  { name, attempt, context }: RemoteOptions,
): State {
  const [state, setState] = useState<State>({ at: 'loading' });
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    setState({ at: 'loading' });
    const stopTimers = startWaitingTimers(setState);
    const remote = new MountedRemote(place, { name, attempt, context }, (error) => {
      stopTimers();
      setState({ at: 'failed', reason: error instanceof Error ? error.message : String(error) });
    });
    void remote.start().then((isShown) => isShown && setState({ at: 'shown' }));
    return () => {
      stopTimers();
      remote.end();
    };
  }, [name, attempt, context]);
  return state;
}

/** Moves a remote that is still loading to `waiting`, then to `slow`. Returns a function that stops the timers. */
function startWaitingTimers(setState: (change: (state: State) => State) => void): () => void {
  const timers = [
    setTimeout(() => setState((now) => (now.at === 'loading' ? { at: 'waiting' } : now)), SKELETON_AFTER_MS),
    setTimeout(() => setState((now) => (now.at === 'waiting' ? { at: 'slow' } : now)), SLOW_AFTER_MS),
  ];
  return () => timers.forEach(clearTimeout);
}

function Skeleton({ title, slow, onRetry }: { title: string; slow: boolean; onRetry: () => void }) {
  return (
    <div class="skeleton" aria-busy="true" data-testid="skeleton">
      <p role="status">
        {slow ? `${title} is taking longer than usual.` : `Loading ${title.toLowerCase()}…`}
      </p>
      {slow && (
        <button type="button" data-testid="retry" onClick={onRetry}>
          Try again
        </button>
      )}
      <div class="skeleton-cards">
        {Array.from({ length: 6 }, (_, index) => (
          <span key={index} />
        ))}
      </div>
    </div>
  );
}

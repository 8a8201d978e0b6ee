import type { Phase } from '@tidegate/live-client';
import { demoViewers } from './identity.ts';
import { followInside, type Router } from './router.ts';
import type { Session } from './session.ts';

export interface TopBarProps {
  readonly session: Session | undefined;
  readonly router: Router;
  readonly onSwitch: (viewerId: string) => void;
  readonly onLeave: () => void;
}

const links = [
  { path: '/', label: 'Board' },
  { path: '/new', label: 'New order' },
];

export function TopBar({ session, router, onSwitch, onLeave }: TopBarProps) {
  const go = (event: MouseEvent): void => followInside(event, router.navigate);
  return (
    <header class="top-bar">
      <a class="brand" href="/" onClick={go}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M5 14c4-4 7-4 11 0s7 4 11 0M5 21c4-4 7-4 11 0s7 4 11 0" />
        </svg>
        <span>Tidegate</span>
      </a>
      <nav aria-label="Main">
        {links.map(({ path, label }) => (
          <a
            key={path}
            href={path}
            onClick={go}
            aria-current={isCurrent(path, router.path.value) ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      {session && <PhasePill session={session} />}
      {session && <ViewerMenu session={session} onSwitch={onSwitch} onLeave={onLeave} />}
    </header>
  );
}

function isCurrent(link: string, path: string): boolean {
  return link === '/' ? path === '/' || path.startsWith('/orders') : path === link;
}

const labels: Record<Phase, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  'catching-up': 'Catching up…',
  offline: 'Offline',
};

function PhasePill({ session }: { session: Session }) {
  const phase = session.phase.value;
  const { retryInMs, reason } = session.details.value;
  const again = retryInMs === undefined ? 'No further try will be made.' : 'It reconnects by itself.';
  const hint = phase === 'offline' ? `${reason ?? 'The connection is gone.'} ${again}` : labels[phase];
  return (
    <span class="phase" role="status" data-testid="phase" data-phase={phase} title={hint}>
      {labels[phase]}
    </span>
  );
}

type ViewerMenuProps = Pick<TopBarProps, 'onSwitch' | 'onLeave'> & { readonly session: Session };

function ViewerMenu({ session, onSwitch, onLeave }: ViewerMenuProps) {
  const { source, viewer } = session.identity;
  if (source === 'pasted') {
    return (
      <div class="viewer">
        <span data-testid="viewer">{viewer.id}</span>
        <button type="button" onClick={onLeave}>
          Leave
        </button>
      </div>
    );
  }
  return (
    <label class="viewer">
      <span class="visually-hidden">You are</span>
      <select
        data-testid="viewer"
        value={viewer.id}
        onChange={(event) => onSwitch(event.currentTarget.value)}
      >
        {demoViewers.map(({ id, role }) => (
          <option key={id} value={id}>
            {id === role ? id : `${id} · ${role}`}
          </option>
        ))}
      </select>
    </label>
  );
}

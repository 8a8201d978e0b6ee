import { ConnectionPill } from './connection-pill.tsx';
import { demoViewers } from './identity.ts';
import { followInside, type Router } from './router.ts';
import type { Session } from './session.ts';

export interface TopBarProps {
  readonly session: Session | undefined;
  readonly router: Router;
  readonly onSwitch: (viewerId: string) => void;
  readonly onLeave: () => void;
  /** A signed-out or refused viewer wants to connect again. */
  readonly onSignIn: () => void;
}

const links = [
  { path: '/', label: 'Board' },
  { path: '/new', label: 'New order' },
];

export function TopBar({ session, router, onSwitch, onLeave, onSignIn }: TopBarProps) {
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
      {session && <ConnectionPill session={session} onSignIn={onSignIn} />}
      {session && <ViewerMenu session={session} onSwitch={onSwitch} onLeave={onLeave} />}
    </header>
  );
}

function isCurrent(link: string, path: string): boolean {
  return link === '/' ? path === '/' || path.startsWith('/orders') : path === link;
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

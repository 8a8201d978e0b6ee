import type { Viewer } from '@tidegate/live-client/micro-frontend';
import type { TokenProvider } from '@tidegate/live-client';

/**
 * Who one can be in the demonstration. The first is who comes for the first time: the operator sees everybody's orders,
 * so the first page has something that moves.
 */
export const demoViewers: readonly Viewer[] = [
  { id: 'operator', role: 'operator' },
  { id: 'customer-1', role: 'customer' },
  { id: 'customer-2', role: 'customer' },
];

/** A server in production gives no tokens away: there one is pasted. */
export type Mode = 'demonstration' | 'pasted';

export interface Identity {
  readonly mode: Mode;
  readonly viewer: Viewer;
  readonly token: TokenProvider;
}

interface IssuedToken {
  readonly token: string;
  /** A time, as ISO text or milliseconds since the epoch. */
  readonly expiresAt: string | number;
}

/** Renewed this long before its end, so that no request carries a token that ends on the way. */
const RENEW_BEFORE_MS = 30_000;
const CHOICE = 'tidegate.viewer';
const PASTED = 'tidegate.token';

/** Who the viewer was before this page was loaded; the first of the demonstration when nobody. */
export function rememberedViewer(): Viewer {
  const id = sessionStorage.getItem(CHOICE);
  return demoViewers.find((viewer) => viewer.id === id) ?? (demoViewers[0] as Viewer);
}

/**
 * Becomes a viewer of the demonstration.
 *
 * @throws NoDemonstrationError when the server gives no tokens away (404), Error when it cannot be reached.
 */
export async function becomeDemoViewer(viewer: Viewer): Promise<Identity> {
  let current = await issueToken(viewer);
  sessionStorage.setItem(CHOICE, viewer.id);
  return {
    mode: 'demonstration',
    viewer,
    token: async ({ refresh }) => {
      if (refresh || Date.parse(isoTime(current.expiresAt)) - Date.now() < RENEW_BEFORE_MS) {
        current = await issueToken(viewer);
      }
      return current.token;
    },
  };
}

export class NoDemonstrationError extends Error {}

/** Becomes whom a pasted token names. Kept for this tab only. @throws Error when it is no token. */
export function becomeTokenHolder(token: string): Identity {
  const viewer = readViewer(token.trim());
  sessionStorage.setItem(PASTED, token.trim());
  return { mode: 'pasted', viewer, token: () => Promise.resolve(token.trim()) };
}

export function rememberedToken(): string | null {
  return sessionStorage.getItem(PASTED);
}

export function forgetToken(): void {
  sessionStorage.removeItem(PASTED);
}

async function issueToken({ id, role }: Viewer): Promise<IssuedToken> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: id, role }),
  });
  if (response.status === 404) throw new NoDemonstrationError('This server gives no tokens away.');
  if (!response.ok) throw new Error(`The server gave no token (${response.status}).`);
  return (await response.json()) as IssuedToken;
}

/** Reads what the token claims. Whether it is genuine is for the server to say. */
function readViewer(token: string): Viewer {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { sub, role } = JSON.parse(atob(payload)) as { sub?: unknown; role?: unknown };
    if (typeof sub !== 'string' || sub === '') throw new Error('no subject');
    return { id: sub, role: role === 'operator' || role === 'partner' ? role : 'customer' };
  } catch (error) {
    throw new Error('This is not a token: three parts with dots between them, the middle one naming you.', {
      cause: error,
    });
  }
}

function isoTime(value: string | number): string {
  return typeof value === 'number' ? new Date(value).toISOString() : value;
}

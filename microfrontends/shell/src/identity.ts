import type { Viewer } from '@tidegate/live-client/micro-frontend';
import type { TokenProvider } from '@tidegate/live-client';

/** Viewers of the demo. The first is the default: the operator sees all orders, so its page shows every change. */
export const demoViewers: readonly Viewer[] = [
  { id: 'operator', role: 'operator' },
  { id: 'customer-1', role: 'customer' },
  { id: 'customer-2', role: 'customer' },
];

/** A production server issues no demo tokens: there the viewer pastes one. */
export type IdentitySource = 'demo' | 'pasted';

export interface Identity {
  readonly source: IdentitySource;
  readonly viewer: Viewer;
  readonly token: TokenProvider;
}

interface IssuedToken {
  readonly token: string;
  /** ISO 8601 time, or milliseconds since the epoch. */
  readonly expiresAt: string | number;
}

/** Time before its expiry at which a token is renewed, so that it does not expire while a request is on its way. */
const RENEW_BEFORE_MS = 30_000;
const VIEWER_KEY = 'tidegate.viewer';
const TOKEN_KEY = 'tidegate.token';

/** Returns the demo viewer that this tab used last, else the default. */
export function rememberedViewer(): Viewer {
  const id = sessionStorage.getItem(VIEWER_KEY);
  return demoViewers.find((viewer) => viewer.id === id) ?? (demoViewers[0] as Viewer);
}

/**
 * Fetches a demo token for a viewer and remembers the viewer for this tab.
 *
 * @throws DemoTokensDisabledError when the server issues no demo tokens (404), Error when it cannot be reached.
 */
export async function createDemoIdentity(viewer: Viewer): Promise<Identity> {
  let current = await issueToken(viewer);
  sessionStorage.setItem(VIEWER_KEY, viewer.id);
  return {
    source: 'demo',
    viewer,
    token: async ({ refresh }) => {
      if (refresh || Date.parse(isoTime(current.expiresAt)) - Date.now() < RENEW_BEFORE_MS) {
        current = await issueToken(viewer);
      }
      return current.token;
    },
  };
}

export class DemoTokensDisabledError extends Error {}

/** Reads the viewer from a pasted token and remembers it for this tab. @throws Error when the text is not a token. */
export function createTokenIdentity(token: string): Identity {
  const viewer = readViewer(token.trim());
  sessionStorage.setItem(TOKEN_KEY, token.trim());
  return { source: 'pasted', viewer, token: () => Promise.resolve(token.trim()) };
}

export function rememberedToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN_KEY);
}

async function issueToken({ id, role }: Viewer): Promise<IssuedToken> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: id, role }),
  });
  if (response.status === 404) throw new DemoTokensDisabledError('This server issues no demo tokens.');
  if (!response.ok) throw new Error(`The server gave no token (${response.status}).`);
  return (await response.json()) as IssuedToken;
}

/** Reads the token's claims. The server verifies its signature. */
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

import type { Viewer } from '@tidegate/live-client/micro-frontend';
import { LiveClientError, type TokenProvider } from '@tidegate/live-client';

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
  /** Rejects with `UNAUTHENTICATED` when the viewer has to sign in again. */
  readonly token: TokenProvider;
  /** Takes a newer token of the same viewer. Returns false for a token of another one. */
  readonly accept: (token: string) => boolean;
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
        current = await issueToken(viewer).catch((error: unknown) => {
          throw error instanceof DemoTokensDisabledError ? signedOut(error.message) : error;
        });
      }
      return current.token;
    },
    accept: (token) => {
      if (!isSameViewer(readViewer(token), viewer)) return false;
      current = { token, expiresAt: expiryOf(token) ?? Date.now() + RENEW_BEFORE_MS * 2 };
      return true;
    },
  };
}

export class DemoTokensDisabledError extends Error {}

/** Reads the viewer from a pasted token and remembers it for this tab. @throws Error when the text is not a token. */
export function createTokenIdentity(text: string): Identity {
  let current = text.trim();
  const viewer = readViewer(current);
  sessionStorage.setItem(TOKEN_KEY, current);
  return {
    source: 'pasted',
    viewer,
    token: () => {
      const expiresAtMs = expiryOf(current);
      if (expiresAtMs === undefined || expiresAtMs > Date.now()) return Promise.resolve(current);
      return Promise.reject(signedOut('The token has expired.'));
    },
    accept: (token) => {
      if (!isSameViewer(readViewer(token.trim()), viewer)) return false;
      current = token.trim();
      sessionStorage.setItem(TOKEN_KEY, current);
      return true;
    },
  };
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

function signedOut(reason: string): LiveClientError {
  return new LiveClientError('UNAUTHENTICATED', reason);
}

function isSameViewer(one: Viewer, other: Viewer): boolean {
  return one.id === other.id && one.role === other.role;
}

/** Returns a token's expiry in milliseconds since the epoch; undefined without one. */
function expiryOf(token: string): number | undefined {
  const { exp } = readClaims(token) as { exp?: unknown };
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
}

function readClaims(token: string): object {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(atob(payload)) as object;
}

/** Reads the token's claims. The server verifies its signature. */
function readViewer(token: string): Viewer {
  try {
    const { sub, role } = readClaims(token) as { sub?: unknown; role?: unknown };
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

import { LiveClientError } from '../live-client-error.ts';
import type { TokenProvider } from '../token-provider.ts';
import type { SessionEnd } from './session.ts';

/** Time before its expiry at which a token is renewed; a fifth of its remaining life when that is shorter. */
const LEAD_MS = 60_000;
const RETRY_MS = 1_000;
/** `setTimeout` fires at once beyond this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TokenRenewalOptions {
  readonly token: TokenProvider;
  /** Called with each renewed token: present it to the server. */
  readonly onRenewed: (token: string) => void;
}

/**
 * Fetches the first token and a new one before each expiry. It does not renew a token without a readable expiry, nor
 * one for which the provider has no newer token: the server then closes with 4401.
 */
export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  #expiresAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
  }

  /** Resolves with the first token and schedules its renewal. Rejects with the provider's error. */
  async start(refresh: boolean): Promise<string> {
    const token = await this.#options.token({ refresh });
    this.setExpiry(tokenExpiryMs(token));
    return token;
  }

  /** Sets the expiry of the token in use. The server's answer overrides the token's own claim. */
  setExpiry(expiresAtMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (this.#stopped || expiresAtMs === undefined) return;
    this.#expiresAtMs = expiresAtMs;
    const leftMs = expiresAtMs - Date.now();
    // Jitter: clients that connected in one moment do not renew in one moment.
    const leadMs = Math.min(LEAD_MS, leftMs / 5) * (1 + Math.random() / 2);
    this.#schedule(leftMs - leadMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (delayMs > MAX_TIMER_MS)
      this.#timer = setTimeout(() => this.#schedule(delayMs - MAX_TIMER_MS), MAX_TIMER_MS);
    else this.#timer = setTimeout(() => void this.#renew(), Math.max(0, delayMs));
  }

  async #renew(): Promise<void> {
    const before = this.#expiresAtMs;
    const token = await this.#options.token({ refresh: true }).catch(() => undefined);
    if (this.#stopped) return;
    if (token === undefined) {
      const leftMs = before - Date.now();
      if (leftMs > 0) this.#schedule(Math.max(RETRY_MS, leftMs / 2));
      return;
    }
    const expiresAtMs = tokenExpiryMs(token);
    // The provider returned the same token again: another request would return it once more.
    if (expiresAtMs !== undefined && expiresAtMs <= before) return;
    this.setExpiry(expiresAtMs);
    this.#options.onRenewed(token);
  }
}

/** Returns the end of a session whose token provider has failed. */
export function tokenFailure(error: unknown): SessionEnd {
  const reason = error instanceof Error ? error.message : String(error);
  const isSignedOut = error instanceof LiveClientError && error.code === 'UNAUTHENTICATED';
  return isSignedOut ? { closeCode: 4401, reason, signedOut: true } : { reason };
}

/** Returns a JWT's `exp` in milliseconds, without verifying it; undefined for any other token. */
export function tokenExpiryMs(token: string): number | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

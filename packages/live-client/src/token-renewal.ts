import type { TokenProvider } from './types.ts';

/** A token is renewed this long before its end, or at four fifths of what is left of it when that is sooner. */
const LEAD_MS = 60_000;
const RETRY_MS = 1_000;
/** `setTimeout` fires at once beyond this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TokenRenewalOptions {
  readonly token: TokenProvider;
  /** A newer token: show it to the server. */
  readonly present: (token: string) => void;
}

/**
 * Fetches a new token before the one in use ends. A token without a readable end is left alone: the server says
 * 4401 when it is over. So does one whose provider has no newer one.
 */
export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  #expiresAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
  }

  /** The token in use ends then. The latest word counts: the server's answer is worth more than the token's claim. */
  expiresAt(expiresAtMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (this.#stopped || expiresAtMs === undefined) return;
    this.#expiresAtMs = expiresAtMs;
    const leftMs = expiresAtMs - Date.now();
    // By chance a little earlier, or everybody who came at one moment renews at one moment.
    const leadMs = Math.min(LEAD_MS, leftMs / 5) * (1 + Math.random() / 2);
    this.#wait(leftMs - leadMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(delayMs: number): void {
    clearTimeout(this.#timer);
    if (delayMs > MAX_TIMER_MS)
      this.#timer = setTimeout(() => this.#wait(delayMs - MAX_TIMER_MS), MAX_TIMER_MS);
    else this.#timer = setTimeout(() => void this.#renew(), Math.max(0, delayMs));
  }

  async #renew(): Promise<void> {
    const before = this.#expiresAtMs;
    const token = await this.#options.token({ refresh: true }).catch(() => undefined);
    if (this.#stopped) return;
    if (token === undefined) {
      const leftMs = before - Date.now();
      if (leftMs > 0) this.#wait(Math.max(RETRY_MS, leftMs / 2));
      return;
    }
    const expiresAtMs = tokenExpiryMs(token);
    // The same one again: the provider has no other, and asking on would only make noise.
    if (expiresAtMs !== undefined && expiresAtMs <= before) return;
    this.expiresAt(expiresAtMs);
    this.#options.present(token);
  }
}

/** The `exp` of a JWT in milliseconds; undefined for whatever else a token may be. Nothing is verified. */
export function tokenExpiryMs(token: string): number | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

import { itemToken } from './item-token.ts';

/** Lifetime of tokens from `settle` on: longer than any run. */
const SETTLED_LIFETIME_MS = 3_600_000;

/** The tokens of one client, one after the other. */
export class ClientTokens {
  readonly #subject: string;
  #lifetimeMs: number;
  #expiresAtMs = 0;
  #connectionExpiresAtMs = 0;

  /** @param options.tokenLifetimeMs lifetime of each token in milliseconds. */
  constructor({ subject, tokenLifetimeMs }: { readonly subject: string; readonly tokenLifetimeMs: number }) {
    this.#subject = subject;
    this.#lifetimeMs = tokenLifetimeMs;
  }

  create(): string {
    const { token, expiresAtMs } = itemToken(this.#subject, this.#lifetimeMs);
    this.#expiresAtMs = expiresAtMs;
    return token;
  }

  /** Creates long-lived tokens from here on. */
  settle(): void {
    this.#lifetimeMs = SETTLED_LIFETIME_MS;
  }

  /** Records that the connection was opened with the newest token, or that its renewal was confirmed. */
  useNewest(expiresAtMs = this.#expiresAtMs): void {
    this.#connectionExpiresAtMs = expiresAtMs;
  }

  /** True when the server may close the connection for its token. Timers may fire a millisecond early. */
  get isExpired(): boolean {
    return Date.now() >= this.#connectionExpiresAtMs - 2;
  }
}

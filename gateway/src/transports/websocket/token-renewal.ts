import { toTidegateError, type TidegateError } from '@tidegate/core';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { WebSocketConnection } from './connection.ts';
import { MAX_WAITING_RENEWALS } from './limits.ts';

/**
 * Answers the pings of one connection, and renews its token by those that carry one (docs/protocol.md, 16). Tokens are
 * verified one after the other, so that the one that was sent last stays.
 */
export class TokenRenewal {
  readonly #connection: WebSocketConnection;
  readonly #verifier: TokenVerifier;
  /** Renewals that are verified or wait for it. */
  #waiting = 0;
  #last: Promise<void> | undefined;

  constructor(connection: WebSocketConnection, verifier: TokenVerifier) {
    this.#connection = connection;
    this.#verifier = verifier;
  }

  async answerPing(payload: Record<string, unknown> | undefined): Promise<void> {
    const renewal = payload?.['tidegate'] as { authorization?: unknown } | null | undefined;
    const authorization = renewal?.authorization;
    if (authorization === undefined) {
      return this.#connection.send(JSON.stringify({ type: 'pong', ...(payload && { payload }) }));
    }
    if (typeof authorization !== 'string') return this.#connection.close('UNAUTHENTICATED');
    if (this.#waiting >= MAX_WAITING_RENEWALS) return this.#connection.close('RATE_LIMITED');
    this.#waiting += 1;
    this.#last = (this.#last ?? Promise.resolve()).then(() => this.#renew(authorization));
    await this.#last;
  }

  async #renew(authorization: string): Promise<void> {
    const connection = this.#connection;
    try {
      if (connection.isClosing) return;
      const viewer = await this.#verifier.verify(authorization);
      if (connection.isClosing) return;
      const expiresAtMs = connection.renew(viewer);
      const expiresAt = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
      connection.send(JSON.stringify({ type: 'pong', payload: { tidegate: { expiresAt } } }));
    } catch (error) {
      this.#refuse(toTidegateError(error));
    } finally {
      this.#waiting -= 1;
    }
  }

  /** The connection goes on under its valid token when the keys for a newer one cannot be fetched at the moment. */
  #refuse({ code, details }: TidegateError): void {
    const { expiresAtMs } = this.#connection.facts.viewer;
    if (code !== 'UNAVAILABLE' || expiresAtMs === undefined) return this.#connection.close(code);
    const { retryAfterMs } = details;
    const tidegate = { expiresAt: new Date(expiresAtMs).toISOString(), code, retryAfterMs };
    this.#connection.send(JSON.stringify({ type: 'pong', payload: { tidegate } }));
  }
}

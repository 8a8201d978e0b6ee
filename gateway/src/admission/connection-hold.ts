import type { RevocationList } from '../auth/revocation-list.ts';
import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { Admission } from './admission.ts';
import type { Release } from './keyed-limit.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { RequestRates } from './request-rates.ts';
import type { Refusal } from './rules.ts';

/** Parts of admission that all transports of a process share. */
export interface EdgeGuards {
  readonly admission: Admission;
  readonly rates: RequestRates;
  readonly revocations: RevocationList;
  readonly metrics: EdgeMetrics;
}

/** Holds one live connection's place in its viewer's limit, and watches the revocation of its token. */
export class ConnectionHold {
  readonly #guards: EdgeGuards;
  readonly #onRevoked: () => void;
  #viewer: VerifiedViewer | undefined;
  #release: Release = () => undefined;
  #unwatch: () => void = () => undefined;
  #released = false;

  /** @param onRevoked called when the token that was assigned last is revoked; the connection must end at once. */
  constructor(guards: EdgeGuards, onRevoked: () => void) {
    this.#guards = guards;
    this.#onRevoked = onRevoked;
  }

  /** Assigns the connection to a viewer and its token, in place of the one before. @throws TidegateError TOO_MANY_CONNECTIONS */
  assign(viewer: VerifiedViewer): void {
    if (this.#released) return;
    const { admission, revocations, metrics } = this.#guards;
    if (viewer.id !== this.#viewer?.id) {
      const release = admission.admitViewer(viewer);
      this.#release();
      this.#release = release;
    }
    this.#viewer = viewer;
    this.#unwatch();
    this.#unwatch = revocations.watch(viewer, () => {
      metrics.refusals.inc({ reason: 'revoked' satisfies Refusal });
      this.#onRevoked();
    });
  }

  /** Gives the place up and watches no longer. Idempotent. */
  release(): void {
    this.#released = true;
    this.#release();
    this.#unwatch();
  }
}

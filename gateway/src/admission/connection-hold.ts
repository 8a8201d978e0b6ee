import type { RevocationList } from '../auth/revocation-list.ts';
import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { Admission, Release } from './admission.ts';
import type { EdgeMetrics, Refusal } from './metrics.ts';

/** What the live transports of a process share to keep their connections within bounds. */
export interface EdgeGuards {
  readonly admission: Admission;
  readonly revocations: RevocationList;
  readonly metrics: EdgeMetrics;
}

/** What one live connection holds of its viewer: a place among the viewer's connections, and an eye on its token. */
export class ConnectionHold {
  readonly #guards: EdgeGuards;
  readonly #address: string;
  readonly #onRevoked: () => void;
  #viewer: VerifiedViewer | undefined;
  #leave: Release = () => undefined;
  #unwatch: Release = () => undefined;
  #released = false;

  /** @param onRevoked the token that was taken last has been revoked: end the connection at once. */
  constructor(guards: EdgeGuards, address: string, onRevoked: () => void) {
    this.#guards = guards;
    this.#address = address;
    this.#onRevoked = onRevoked;
  }

  /** The connection is this viewer's, by this token, from now on. @throws TidegateError TOO_MANY_CONNECTIONS */
  take(viewer: VerifiedViewer): void {
    if (this.#released) return;
    const { admission, revocations, metrics } = this.#guards;
    if (viewer.id !== this.#viewer?.id) {
      const leave = admission.connectionFor({ viewer, address: this.#address });
      this.#leave();
      this.#leave = leave;
    }
    this.#viewer = viewer;
    this.#unwatch();
    this.#unwatch = revocations.watch(viewer, () => {
      metrics.refusals.inc({ reason: 'revoked' satisfies Refusal });
      this.#onRevoked();
    });
  }

  release(): void {
    this.#released = true;
    this.#leave();
    this.#unwatch();
  }
}

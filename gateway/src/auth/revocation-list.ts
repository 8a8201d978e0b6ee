import type { RevokedAccess } from './access-revoked.ts';
import type { VerifiedViewer } from './token-verifier.ts';

interface Entry {
  /** Refuses tokens issued until then; Infinity when the entry is of one token. */
  readonly issuedBeforeMs: number;
  readonly untilMs: number;
}

interface Watcher {
  readonly viewer: VerifiedViewer;
  readonly onRevoked: () => void;
}

/** Returns the key of a revocation on its compacted topic: the newest record of each key is the valid one. */
export function revocationKey(access: RevokedAccess): string {
  return access.kind === 'token' ? `token:${access.tokenId}` : `subject:${access.subject}`;
}

/** The valid revocations, and the live connections that a new one ends. */
export class RevocationList {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Map<string, Set<Watcher>>();

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a revocation and calls back the watchers of the viewers it revokes. */
  add(access: RevokedAccess, untilMs: number): void {
    const key = revocationKey(access);
    const issuedBeforeMs = access.kind === 'token' ? Infinity : Date.parse(access.issuedBefore);
    const known = this.#entries.get(key);
    this.#entries.set(key, {
      issuedBeforeMs: Math.max(issuedBeforeMs, known?.issuedBeforeMs ?? -Infinity),
      untilMs: Math.max(untilMs, known?.untilMs ?? 0),
    });
    for (const watcher of [...(this.#watchers.get(key) ?? [])]) {
      if (!this.isRevoked(watcher.viewer)) continue;
      this.#unwatch(watcher);
      watcher.onRevoked();
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Returns the keys of revocations that no token can be old enough for any more. */
  expired(nowMs: number): string[] {
    return [...this.#entries].filter(([, { untilMs }]) => untilMs <= nowMs).map(([key]) => key);
  }

  /** A token without a time of issue counts as the oldest. */
  isRevoked(viewer: VerifiedViewer): boolean {
    return keysOf(viewer).some(
      (key) => (this.#entries.get(key)?.issuedBeforeMs ?? -Infinity) >= (viewer.issuedAtMs ?? 0),
    );
  }

  /** Calls back once when this viewer is revoked, also when it already is. Returns an unwatch function. */
  watch(viewer: VerifiedViewer, onRevoked: () => void): () => void {
    const watcher = { viewer, onRevoked };
    if (this.isRevoked(viewer)) {
      queueMicrotask(onRevoked);
      return () => undefined;
    }
    for (const key of keysOf(viewer)) {
      const watchers = this.#watchers.get(key) ?? new Set();
      this.#watchers.set(key, watchers.add(watcher));
    }
    return () => this.#unwatch(watcher);
  }

  #unwatch(watcher: Watcher): void {
    for (const key of keysOf(watcher.viewer)) {
      const watchers = this.#watchers.get(key);
      watchers?.delete(watcher);
      if (watchers?.size === 0) this.#watchers.delete(key);
    }
  }
}

function keysOf(viewer: VerifiedViewer): string[] {
  if (viewer.role === 'anonymous') return [];
  return [`subject:${viewer.id}`, ...(viewer.tokenId === undefined ? [] : [`token:${viewer.tokenId}`])];
}

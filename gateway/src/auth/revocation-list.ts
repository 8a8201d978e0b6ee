import type { RevokedAccess } from './access-revoked.ts';
import type { VerifiedViewer } from './token-verifier.ts';

/** What is refused until when, and who has to be told when more is. */
interface Entry {
  /** Tokens issued up to here are refused; of a single token: always. */
  readonly issuedBeforeMs: number;
  readonly untilMs: number;
}

interface Watcher {
  readonly viewer: VerifiedViewer;
  readonly onRevoked: () => void;
}

/** The key of a revocation on its topic: the newest of each is all that counts. */
export function revocationKey(access: RevokedAccess): string {
  return access.kind === 'token' ? `token:${access.tokenId}` : `subject:${access.subject}`;
}

/** The revocations that count at the moment, and the live connections that a new one would end. */
export class RevocationList {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Map<string, Set<Watcher>>();

  get size(): number {
    return this.#entries.size;
  }

  /** Takes one in and ends what it concerns. */
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
      this.#forget(watcher);
      watcher.onRevoked();
    }
  }

  /** The topic no longer holds it. */
  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** The keys of what no token can be old enough for any more. */
  expired(nowMs: number): string[] {
    return [...this.#entries].filter(([, { untilMs }]) => untilMs <= nowMs).map(([key]) => key);
  }

  /** A token without a time of issue counts as issued before everything. */
  isRevoked(viewer: VerifiedViewer): boolean {
    return keysOf(viewer).some(
      (key) => (this.#entries.get(key)?.issuedBeforeMs ?? -Infinity) >= (viewer.issuedAtMs ?? 0),
    );
  }

  /** Calls back once when a revocation concerns this viewer, also one that has just come, until the answer is called. */
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
    return () => this.#forget(watcher);
  }

  #forget(watcher: Watcher): void {
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

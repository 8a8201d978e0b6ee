import { mergeConsistencyTokens, TidegateError, type ConsistencyToken } from '@tidegate/core';
import type { Viewer, LastWriteStore } from '@tidegate/bff';
import type { SharedState } from '@tidegate/shared-state';

/** Longer than the lag of any healthy view: after it the view contains the write, or an alert has been raised. */
const TOKEN_TTL_MS = 30_000;

/** More than the writes that one viewer has under way at a time. */
const MAX_ATTEMPTS = 200;

/**
 * Read-your-writes across requests: stores the consistency token of a viewer's last writes in the shared state, where
 * every replica of the gateway finds it. Undefined for a viewer without an identity.
 */
export function createLastWriteStore(state: SharedState, viewer: Viewer): LastWriteStore | undefined {
  if (viewer.role === 'anonymous') return undefined;
  const key = `last-write:${viewer.role}:${viewer.id}`;
  return {
    read: () => state.get(key),
    add: (token) => merge(state, key, token),
  };
}

/**
 * Merges a token into the stored one. Each lost race means that another write was stored, so this ends.
 *
 * @throws TidegateError CONFLICT after `MAX_ATTEMPTS` lost races.
 */
async function merge(state: SharedState, key: string, token: ConsistencyToken): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const before = await state.get(key);
    const merged = before === undefined ? token : mergeConsistencyTokens(before, token);
    if (await state.compareAndSet(key, before, merged, TOKEN_TTL_MS)) return;
  }
  throw new TidegateError('CONFLICT', 'The last writes of this viewer change too fast.');
}

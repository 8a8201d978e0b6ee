import { mergeConsistencyTokens } from '@tidegate/core';
import type { Viewer, LastWriteStore } from '@tidegate/bff';
import type { SharedState } from '@tidegate/shared-state';

/** Longer than the lag of any healthy view: after it the view contains the write, or an alert has been raised. */
const TOKEN_TTL_MS = 30_000;

/**
 * Read-your-writes across requests: stores the consistency token of a viewer's last writes in the shared state, where
 * every replica of the gateway finds it. Undefined for a viewer without an identity.
 */
export function createLastWriteStore(state: SharedState, viewer: Viewer): LastWriteStore | undefined {
  if (viewer.role === 'anonymous') return undefined;
  const key = `last-write:${viewer.role}:${viewer.id}`;
  return {
    read: () => state.get(key),
    add: async (token) => {
      const before = await state.get(key);
      await state.set(key, before ? mergeConsistencyTokens(before, token) : token, TOKEN_TTL_MS);
    },
  };
}

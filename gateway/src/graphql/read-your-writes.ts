import { mergeConsistencyTokens } from '@tidegate/core';
import type { Viewer, LastWriteStore } from '@tidegate/bff';
import type { SharedState } from '@tidegate/shared-state';

/** Longer than any view lags in health; after it the view has the write or the operator has a page. */
const MEMORY_MS = 30_000;

/** Remembers a viewer's last writes where every replica of the gateway finds them. */
export function createLastWriteStore(state: SharedState, viewer: Viewer): LastWriteStore | undefined {
  if (viewer.role === 'anonymous') return undefined;
  const key = `last-write:${viewer.role}:${viewer.id}`;
  return {
    read: () => state.get(key),
    add: async (token) => {
      const before = await state.get(key);
      await state.set(key, before ? mergeConsistencyTokens(before, token) : token, MEMORY_MS);
    },
  };
}

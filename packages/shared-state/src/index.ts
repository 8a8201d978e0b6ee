export type { SharedState } from './shared-state.ts';
export { createMemorySharedState, type MemorySharedStateOptions } from './memory.ts';

export type { BucketLevel, SharedState, TokenBucket, TokenGrant } from './shared-state.ts';
export { createMemorySharedState, type MemorySharedStateOptions } from './memory.ts';

export type { Bff, BffContext, Services } from './bff.ts';
export { Consistency, type WriteMemory } from './consistency.ts';
export {
  defineLiveField,
  defineLiveStream,
  type LiveField,
  type LiveScope,
  type LiveStream,
  type OverflowPolicy,
  type Versioned,
} from './live-field.ts';
export { liveOrder } from './live-order.ts';
export { createLoaders, type Loaders } from './loaders.ts';
export {
  commandOutcomeStream,
  customerScope,
  orderStream,
  productStream,
  publicScope,
  type CommandOutcomeData,
} from './streams.ts';
export { anonymous, requireRole, type Viewer, type ViewerRole } from './viewer.ts';

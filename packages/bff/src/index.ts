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
export { anonymous, requireRole, type Viewer } from './viewer.ts';

export type { Bff, BffContext, Services } from './bff.ts';
export { Consistency, type Freshness, type LastWriteStore } from './consistency.ts';
export { assertLiveFields, defineBff } from './define-bff.ts';
export {
  defineLiveField,
  defineLiveStream,
  type LiveField,
  type LiveScope,
  type LiveStream,
  type OverflowPolicy,
  type Versioned,
} from './live-field.ts';
export type { BffCost, FieldCost } from './operation-cost.ts';
export { anonymous, requireRole, type Viewer } from './viewer.ts';
export { readSchema } from './read-schema.ts';

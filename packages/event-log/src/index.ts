export type * from './event-log.ts';
export { measureEventLog } from './measured-event-log.ts';
export { murmur2, partitionFor } from './murmur2.ts';

export type { Context } from './context.ts';
export { liveOrder } from './live-order.ts';
export { visibleOrder } from './visible-order.ts';
export { roles } from './roles.ts';
export { createLoaders, type Loaders } from './loaders.ts';
export {
  commandOutcomeStream,
  customerScope,
  orderStream,
  productStream,
  publicScope,
  type CommandOutcomeData,
} from './streams.ts';

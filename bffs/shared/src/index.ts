export { accessOf, orderTerm, parseAccountId, parseId, publicScope, scopeOf } from './access.ts';
export type { Context } from './context.ts';
export { guardLiveFields, guardResolvers } from './guard.ts';
export { liveOrder } from './live-order.ts';
export { visibleOrder } from './visible-order.ts';
export { rights, type FieldRights, type Right } from './rights.ts';
export { roles, viewerClaims, type Role } from './roles.ts';
export { createLoaders, type Loaders } from './loaders.ts';
export { commandOutcomeStream, orderStream, productStream, type CommandOutcomeData } from './streams.ts';

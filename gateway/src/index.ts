export { createAsyncApiRoute } from './asyncapi.ts';
export { createTokenVerifier, type TokenVerifier } from './auth/token-verifier.ts';
export { createComposition } from './composition/index.ts';
export { Gateway, type GatewayLimits, type GatewayOptions } from './gateway.ts';
export { BffServer, type BffServerOptions, type RequestFacts } from './graphql/bff-server.ts';
export { startEdgeServer, type Edge, type EdgeServer } from './http/edge-server.ts';
export { createDispatcher } from './webhooks/dispatcher.ts';
export type { WebhookTables } from './webhooks/tables.ts';
export { createWebhooks } from './webhooks/webhooks.ts';

export type { AsyncApiOptions } from './asyncapi.ts';
export type { JwtOptions, TokenVerifier, VerifiedViewer } from './auth/token-verifier.ts';
export { jwtOptionsFrom, jwtSettings, type JwtSettings } from './auth/jwt-settings.ts';
export { createComposition } from './composition/composition.ts';
export { createGateway, type Gateway } from './gateway.ts';
export type { GatewayOptions, Route } from './gateway-options.ts';
export {
  gatewayOptionsFrom,
  gatewaySettings,
  secretSettings,
  secretsFrom,
  webhookKeysFrom,
  webhookSettings,
} from './gateway-settings.ts';
export { BffServer, type BffServerOptions, type RequestFacts } from './graphql/bff-server.ts';
export { gatewayLimits, type GatewayLimits, type Limit } from './limits.ts';
export { FrameBatch } from './live/group/frame-batch.ts';
export { reloadOnHangup } from './reload-bffs.ts';
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './webhooks/dispatcher.ts';
export type { WebhookTables } from './webhooks/tables.ts';

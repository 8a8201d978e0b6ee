export type { Backoff } from './backoff.ts';
export { createLiveClient, type LiveClient } from './live-client.ts';
export { LiveClientError } from './live-client-error.ts';
export type { LiveClientOptions } from './live-client-options.ts';
export type { Phase, PhaseDetails } from './phase.ts';
export type { QueryRequest, ResetReason, SubscribeRequest } from './requests.ts';
export type { GraphQLErrorLike, Result, ResultExtensions } from './result.ts';
export type { Transport } from './sessions/session.ts';
export type { TokenProvider } from './token-provider.ts';

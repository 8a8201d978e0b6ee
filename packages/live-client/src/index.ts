export { createLiveClient, type LiveClient, type LiveClientOptions } from './live-client.ts';
export { LiveClientError } from './live-client-error.ts';
export type { Transport } from './session.ts';
export type {
  Phase,
  PhaseDetails,
  QueryRequest,
  ResetReason,
  Result,
  ResultExtensions,
  SubscribeRequest,
  TokenProvider,
} from './types.ts';

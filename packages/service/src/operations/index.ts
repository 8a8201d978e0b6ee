export { implement, type CallContext, type Implementation } from './implementation.ts';
export { createServiceHandler, type ServiceHandlerOptions } from './service-handler.ts';
export type { ServiceAddress } from './exchange.ts';
export {
  createServiceClient,
  type CallOptions,
  type ServiceClient,
  type ServiceClientOptions,
} from './service-client.ts';

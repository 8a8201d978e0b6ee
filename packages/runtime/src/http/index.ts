export { compressResponse } from './compress-response.ts';
export { errorResponse } from './error-response.ts';
export type { FetchHandler, Peer } from './fetch-handler.ts';
export {
  createFetchListener,
  defaultHttpTimeouts,
  startHttpServer,
  type HttpListener,
  type HttpServer,
  type HttpServerOptions,
  type HttpTimeouts,
} from './http-server.ts';
export { readBody, readJsonBody, requireBodyWithin } from './read-body.ts';
export { refuseUpgrade } from './refuse-upgrade.ts';

export { errorResponse } from './error-response.ts';
export type { FetchHandler } from './fetch-handler.ts';
export {
  createFetchListener,
  startHttpServer,
  type HttpListener,
  type HttpServer,
  type HttpServerOptions,
} from './http-server.ts';
export { readBody, readJsonBody, requireBodyWithin } from './read-body.ts';
export { refuseUpgrade } from './refuse-upgrade.ts';

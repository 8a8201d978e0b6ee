export type { FetchHandler } from './fetch-handler.ts';
export type { Component } from './components.ts';
export { describeFailure } from './describe-failure.ts';
export { createHealthHandler, type HealthHandlerOptions } from './health-handler.ts';
export {
  startHttpServer,
  type HttpServer,
  type HttpServerOptions,
  type UpgradeHandler,
} from './http-server.ts';
export type { Serving } from './process-server.ts';
export { createReadiness, type Readiness, type ReadinessCheck, type ReadinessReport } from './readiness.ts';
export { runProcess, type ProcessConfig, type ProcessHost, type ProcessOptions } from './run-process.ts';

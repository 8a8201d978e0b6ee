export type { Component } from './components.ts';
export type { Backend } from './dependency.ts';
export { describeFailure } from './describe-failure.ts';
export { createHealthHandler, type HealthHandlerOptions } from './health-handler.ts';
export { openFilesLimit } from './open-files.ts';
export { createReadiness, type Readiness, type ReadinessCheck, type ReadinessReport } from './readiness.ts';
export {
  runProcess,
  type ProcessConfig,
  type ProcessHost,
  type ProcessOptions,
  type Serving,
} from './run-process.ts';

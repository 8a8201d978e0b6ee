export { createLogger, silentLogger, type Logger } from './logger.ts';
export {
  createMetrics,
  type CreateMetricsOptions,
  type MetricName,
  type MetricOptions,
  type Metrics,
} from './metrics.ts';
export type { Sample } from './sampled-gauge.ts';
export {
  childTraceparent,
  createTraceparent,
  formatTraceparent,
  parseTraceparent,
  type Traceparent,
} from './traceparent.ts';
export { startTelemetry, type Telemetry, type TelemetryOptions } from './tracing.ts';
export { withSpan, type SpanOptions } from './with-span.ts';

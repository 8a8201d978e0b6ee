import type { Metrics } from '@tidegate/runtime/telemetry';

/** Metrics of a dispatcher. */
export function createWebhookMetrics(metrics: Metrics) {
  return {
    attempts: metrics.counter({
      name: 'tidegate_webhook_attempts_total',
      help: 'Attempts to deliver, by outcome',
      labels: ['outcome'],
    }),
    seconds: metrics.histogram({
      name: 'tidegate_webhook_attempt_seconds',
      help: 'Duration of attempts',
    }),
    dead: metrics.counter({
      name: 'tidegate_webhook_dead_deliveries_total',
      help: 'Deliveries that are dead after their last attempt',
    }),
    inFlight: metrics.gauge({
      name: 'tidegate_webhook_attempts_in_flight',
      help: 'Attempts in flight in this process',
    }),
  };
}

export type WebhookMetrics = ReturnType<typeof createWebhookMetrics>;

import type { Metrics } from '@tidegate/runtime/telemetry';

/** What an operator sees of the dispatcher. */
export function createWebhookMetrics(metrics: Metrics) {
  return {
    attempts: metrics.counter({
      name: 'tidegate_webhook_attempts_total',
      help: 'Attempts to deliver, by what became of them',
      labels: ['outcome'],
    }),
    seconds: metrics.histogram({
      name: 'tidegate_webhook_attempt_seconds',
      help: 'How long receivers take to answer',
    }),
    dead: metrics.counter({
      name: 'tidegate_webhook_dead_deliveries_total',
      help: 'Deliveries given up after the last attempt',
    }),
    inFlight: metrics.gauge({
      name: 'tidegate_webhook_attempts_in_flight',
      help: 'Attempts under way in this process',
    }),
  };
}

export type WebhookMetrics = ReturnType<typeof createWebhookMetrics>;

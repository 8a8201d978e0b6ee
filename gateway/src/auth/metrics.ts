import type { Metrics } from '@tidegate/runtime/telemetry';

/** Creates the metrics of token verification, or returns those of the same registry. */
export function createAuthMetrics(metrics: Metrics) {
  return {
    fetches: metrics.counter({
      name: 'tidegate_auth_key_fetches_total',
      help: 'Fetches of the keys of identity providers, by outcome: fetched, failed',
      labels: ['provider', 'outcome'],
    }),
    staleKeys: metrics.gauge({
      name: 'tidegate_auth_stale_keys',
      help: '1 while tokens are verified by keys that could not be fetched again',
      labels: ['provider'],
    }),
  };
}

export type AuthMetrics = ReturnType<typeof createAuthMetrics>;

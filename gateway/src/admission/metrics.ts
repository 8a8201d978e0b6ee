import type { Metrics } from '@tidegate/runtime/telemetry';

/** Creates the counter of refusals. Its label `reason` has the values of `Refusal`. */
export function createEdgeMetrics(metrics: Metrics) {
  return {
    refusals: metrics.counter({
      name: 'tidegate_edge_refusals_total',
      help: 'Sockets, connections and subscriptions that were refused or ended by a limit or a rule of the edge',
      labels: ['reason'],
    }),
    localCharges: metrics.counter({
      name: 'tidegate_edge_local_charges_total',
      help: 'Requests charged to the rate limits of this process alone because the shared state was away',
    }),
  };
}

export type EdgeMetrics = ReturnType<typeof createEdgeMetrics>;

import type { Metrics } from '@tidegate/runtime/telemetry';

/** Why the edge refused somebody: the values of the label `reason`. */
export type Refusal =
  | 'sockets-per-address'
  | 'connections-per-address'
  | 'connections-per-viewer'
  | 'subscriptions-per-viewer'
  | 'origin'
  | 'revoked';

/** What an operator sees of those who were not let in. */
export function createEdgeMetrics(metrics: Metrics) {
  return {
    refusals: metrics.counter({
      name: 'tidegate_edge_refusals_total',
      help: 'Sockets, connections and subscriptions that were refused or ended by a limit or a rule of the edge',
      labels: ['reason'],
    }),
  };
}

export type EdgeMetrics = ReturnType<typeof createEdgeMetrics>;

import type { Metrics } from '@tidegate/telemetry';

/** What an operator sees of the live engine. */
export function createLiveMetrics(metrics: Metrics) {
  return {
    gaps: metrics.counter({
      name: 'tidegate_live_version_gaps_total',
      help: 'Changes whose predecessor never came',
      labels: ['topic'],
    }),
    repeatsDropped: metrics.counter({
      name: 'tidegate_live_repeats_dropped_total',
      help: 'Records that were published twice and sent once',
      labels: ['topic'],
    }),
    malformed: metrics.counter({
      name: 'tidegate_live_malformed_total',
      help: 'Records on document topics that nobody can read',
      labels: ['topic'],
    }),
    frames: metrics.counter({
      name: 'tidegate_live_frames_total',
      help: 'Messages handed to connections',
      labels: ['transport'],
    }),
    slowConsumers: metrics.counter({
      name: 'tidegate_live_slow_consumers_total',
      help: 'Subscribers that fell too far behind',
      labels: ['transport'],
    }),
    groups: metrics.gauge({ name: 'tidegate_live_groups', help: 'Groups of equal subscriptions' }),
    subscriptions: metrics.gauge({ name: 'tidegate_live_subscriptions', help: 'Open subscriptions' }),
    connections: metrics.gauge({
      name: 'tidegate_live_connections',
      help: 'Open connections',
      labels: ['transport'],
    }),
    delaySeconds: metrics.histogram({
      name: 'tidegate_live_delay_seconds',
      help: 'From the append of a document to its dispatch in this process',
      labels: ['topic'],
    }),
  };
}

export type LiveMetrics = ReturnType<typeof createLiveMetrics>;

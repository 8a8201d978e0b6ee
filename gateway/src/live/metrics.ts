import type { Metrics } from '@tidegate/telemetry';

/** What an operator sees of the live engine. */
export function createLiveMetrics(metrics: Metrics) {
  return {
    gaps: metrics.counter('tidegate_live_version_gaps_total', 'Changes whose predecessor never came', [
      'topic',
    ]),
    repeatsDropped: metrics.counter(
      'tidegate_live_repeats_dropped_total',
      'Records published twice, sent once',
      ['topic'],
    ),
    malformed: metrics.counter(
      'tidegate_live_malformed_total',
      'Records on document topics that nobody can read',
      ['topic'],
    ),
    frames: metrics.counter('tidegate_live_frames_total', 'Messages handed to transports', ['transport']),
    slowConsumers: metrics.counter(
      'tidegate_live_slow_consumers_total',
      'Subscribers that fell too far behind',
      ['transport'],
    ),
    groups: metrics.gauge('tidegate_live_groups', 'Groups of equal subscriptions', []),
    subscriptions: metrics.gauge('tidegate_live_subscriptions', 'Open subscriptions', []),
    connections: metrics.gauge('tidegate_live_connections', 'Open connections', ['transport']),
    delayMs: metrics.histogram(
      'tidegate_live_delay_ms',
      'From the append of a document to its dispatch in this process',
      ['topic'],
      [1, 2, 5, 10, 20, 50, 100, 250, 1_000, 5_000],
    ),
  };
}

export type LiveMetrics = ReturnType<typeof createLiveMetrics>;

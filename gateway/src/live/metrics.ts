import type { Metrics } from '@tidegate/runtime/telemetry';

/** Creates the metrics of the live engine, or returns those of the same registry. */
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
      help: 'Records on document topics that cannot be parsed',
      labels: ['topic'],
    }),
    unexpectedPartitions: metrics.counter({
      name: 'tidegate_live_unexpected_partitions_total',
      help: "Keys found in another partition than the stream's partitioner gives them; cursors then hold all partitions",
      labels: ['topic'],
    }),
    frames: createFrameTally(metrics),
    refreshes: metrics.counter({
      name: 'tidegate_live_fresh_snapshots_total',
      help: 'Snapshots sent to subscriptions that could not go on by changes: gap, overflow',
      labels: ['topic', 'reason'],
    }),
    slowConsumers: metrics.counter({
      name: 'tidegate_live_slow_consumers_total',
      help: 'Subscribers that fell too far behind',
      labels: ['transport'],
    }),
    replayBytes: metrics.gauge({
      name: 'tidegate_live_replay_bytes',
      help: 'Memory held by replays that several clients share',
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

interface FrameTally {
  websocket: number;
  sse: number;
  multipart: number;
}

/** One tally per registry, like the counter that reads it: gateways in one process may share a registry. */
const tallies = new WeakMap<Metrics, FrameTally>();

/** Plain numbers, read at each scrape: a sink counts every message of every connection. */
function createFrameTally(metrics: Metrics): FrameTally {
  const known = tallies.get(metrics);
  if (known) return known;
  const tally = { websocket: 0, sse: 0, multipart: 0 };
  tallies.set(metrics, tally);
  metrics.counter({
    name: 'tidegate_live_frames_total',
    help: 'Messages handed to connections',
    labels: ['transport'],
    collect: (counter) => {
      counter.reset();
      counter.inc({ transport: 'websocket' }, tally.websocket);
      counter.inc({ transport: 'sse' }, tally.sse);
      counter.inc({ transport: 'multipart' }, tally.multipart);
    },
  });
  return tally;
}

import type { TopicSpec } from '../event-log.ts';

const TEN_MINUTES_MS = 600_000;

/**
 * The topic's promises in Kafka's words. A compacted topic keeps every record for the lag; its segments are rolled
 * as often as that, because Kafka compacts no segment that is still written to.
 */
export function topicConfig(spec: TopicSpec, replicationFactor: number): { name: string; value: string }[] {
  const retention = String(spec.retentionMs);
  const cleanup =
    spec.cleanup === 'delete'
      ? { 'cleanup.policy': 'delete', 'retention.ms': retention }
      : {
          'cleanup.policy': 'compact',
          'min.compaction.lag.ms': retention,
          'delete.retention.ms': retention,
          'segment.ms': String(Math.max(spec.retentionMs, TEN_MINUTES_MS)),
        };
  const config = {
    ...cleanup,
    // With three replicas one may be down without stopping appends or losing what was acknowledged.
    'min.insync.replicas': replicationFactor >= 3 ? '2' : '1',
  };
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

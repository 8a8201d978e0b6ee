import type { TopicSpec } from '../event-log.ts';

const TEN_MINUTES_MS = 600_000;

/** Names of the configuration that `keptMsOf` reads. */
export const retentionConfig = ['cleanup.policy', 'retention.ms', 'min.compaction.lag.ms'] as const;

/** Returns for how long a topic of this configuration keeps every record, in milliseconds. */
export function keptMsOf(config: ReadonlyMap<string, string>): number {
  const policies = (config.get('cleanup.policy') ?? 'delete').split(',').map((policy) => policy.trim());
  const retentionMs = Number(config.get('retention.ms') ?? -1);
  return Math.min(
    policies.includes('delete') && retentionMs >= 0 ? retentionMs : Infinity,
    policies.includes('compact') ? Number(config.get('min.compaction.lag.ms') ?? 0) : Infinity,
  );
}

/**
 * Returns Kafka's configuration entries for a topic. The segments of a compacted topic are rolled once a retention
 * time, because Kafka does not compact the segment that it writes to.
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
    // With three replicas one may be down: appends go on and no acknowledged record is lost.
    'min.insync.replicas': replicationFactor >= 3 ? '2' : '1',
  };
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

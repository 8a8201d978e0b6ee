import type { PartitionEnds, TopicSpec } from '../event-log.ts';
import { partitionsConflict, unknownPartition, unknownTopic } from '../topic-errors.ts';
import { assertTopicSpec } from '../topic-spec.ts';
import type { SqlFile } from './sql-file.ts';

export interface StoredTopic extends TopicSpec {
  readonly id: number;
}

export interface TopicStore {
  ensure(specs: readonly TopicSpec[]): void;
  /** @throws TidegateError NOT_FOUND */
  topic(name: string): StoredTopic;
  all(): StoredTopic[];
  partitionEnds(topic: StoredTopic): PartitionEnds[];
  /** @throws TidegateError NOT_FOUND */
  endsOf(topic: StoredTopic, partition: number): PartitionEnds;
}

/** The topics and the ends of their partitions. */
export function createTopicStore(file: SqlFile): TopicStore {
  const columns = 'id, name, partitions, cleanup, retention_ms AS retentionMs';
  const byName = file.prepare<StoredTopic>(`SELECT ${columns} FROM topics WHERE name = ?`);
  const everyTopic = file.prepare<StoredTopic>(`SELECT ${columns} FROM topics ORDER BY id`);
  const insertTopic = file.prepare(
    'INSERT INTO topics (name, partitions, cleanup, retention_ms) VALUES (?, ?, ?, ?)',
  );
  const updateTopic = file.prepare('UPDATE topics SET cleanup = ?, retention_ms = ? WHERE id = ?');
  const markRecords = file.prepare('UPDATE records SET compacted = ? WHERE topic_id = ?');
  const insertPartition = file.prepare('INSERT INTO partitions VALUES (?, ?, 0, 0)');
  const ends = file.prepare<PartitionEnds>(
    'SELECT partition, start_offset AS start, next_offset AS "end" FROM partitions WHERE topic_id = ? ORDER BY partition',
  );
  const endsOfOne = file.prepare<PartitionEnds>(
    'SELECT partition, start_offset AS start, next_offset AS "end" FROM partitions WHERE topic_id = ? AND partition = ?',
  );
  // Another process on the same file may change a topic's retention, never its id or partitions.
  const known = new Map<string, StoredTopic>();

  function find(name: string): StoredTopic | undefined {
    const topic = known.get(name) ?? byName.get(name);
    if (topic) known.set(name, topic);
    return topic;
  }

  function create(spec: TopicSpec): void {
    insertTopic.run(spec.name, spec.partitions, spec.cleanup, spec.retentionMs);
    const { id } = byName.get(spec.name) as StoredTopic;
    for (let partition = 0; partition < spec.partitions; partition++) insertPartition.run(id, partition);
  }

  function update(existing: StoredTopic, spec: TopicSpec): void {
    if (existing.partitions !== spec.partitions) throw partitionsConflict(spec, existing.partitions);
    updateTopic.run(spec.cleanup, spec.retentionMs, existing.id);
    if (existing.cleanup !== spec.cleanup) markRecords.run(spec.cleanup === 'compact' ? 1 : 0, existing.id);
    known.delete(spec.name);
  }

  return {
    ensure(specs) {
      for (const spec of specs) assertTopicSpec(spec);
      file.write(() => {
        for (const spec of specs) {
          const existing = byName.get(spec.name);
          if (existing) update(existing, spec);
          else create(spec);
        }
      });
    },
    topic(name) {
      const topic = find(name);
      if (!topic) throw unknownTopic(name);
      return topic;
    },
    all: () => everyTopic.all(),
    partitionEnds: (topic) => ends.all(topic.id),
    endsOf(topic, partition) {
      const row = endsOfOne.get(topic.id, partition);
      if (!row) throw unknownPartition(topic.name, partition);
      return row;
    },
  };
}

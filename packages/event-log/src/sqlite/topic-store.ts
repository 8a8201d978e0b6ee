import type { PartitionEnds, TopicSpec } from '../event-log.ts';
import { unknownPartition, unknownTopic } from '../topic-errors.ts';
import { assertTopicSpec } from '../topic-spec.ts';
import type { SqlFile } from './sql-file.ts';

export interface StoredTopic extends TopicSpec {
  readonly id: number;
}

function prepareStatements(file: SqlFile) {
  const topicColumns = 'id, name, partitions, cleanup, retention_ms AS retentionMs';
  const selectEnds =
    'SELECT partition, start_offset AS start, next_offset AS "end" FROM partitions WHERE topic_id = ?';
  return {
    topicByName: file.prepare<StoredTopic>(`SELECT ${topicColumns} FROM topics WHERE name = ?`),
    topics: file.prepare<StoredTopic>(`SELECT ${topicColumns} FROM topics ORDER BY id`),
    insertTopic: file.prepare(
      'INSERT INTO topics (name, partitions, cleanup, retention_ms) VALUES (?, ?, ?, ?)',
    ),
    updateTopic: file.prepare('UPDATE topics SET cleanup = ?, retention_ms = ? WHERE id = ?'),
    markRecords: file.prepare('UPDATE records SET compacted = ? WHERE topic_id = ?'),
    insertPartition: file.prepare('INSERT INTO partitions VALUES (?, ?, 0, 0)'),
    allEnds: file.prepare<PartitionEnds>(`${selectEnds} ORDER BY partition`),
    ends: file.prepare<PartitionEnds>(`${selectEnds} AND partition = ?`),
  };
}

/** The topics and the ends of their partitions. */
export class TopicStore {
  readonly #file: SqlFile;
  readonly #sql: ReturnType<typeof prepareStatements>;
  // Safe to cache: another process may change a topic's retention, never its id or its partitions.
  readonly #cache = new Map<string, StoredTopic>();

  constructor(file: SqlFile) {
    this.#file = file;
    this.#sql = prepareStatements(file);
  }

  /** Creates missing topics and updates existing ones. @throws TidegateError BAD_REQUEST */
  ensure(specs: readonly TopicSpec[]): void {
    for (const spec of specs) assertTopicSpec(spec);
    this.#file.write(() => {
      for (const spec of specs) {
        const existing = this.#sql.topicByName.get(spec.name);
        if (existing) this.#update(existing, spec);
        else this.#create(spec);
      }
    });
  }

  /** @throws TidegateError NOT_FOUND */
  topic(name: string): StoredTopic {
    const topic = this.#cache.get(name) ?? this.#sql.topicByName.get(name);
    if (!topic) throw unknownTopic(name);
    this.#cache.set(name, topic);
    return topic;
  }

  all(): StoredTopic[] {
    return this.#sql.topics.all();
  }

  partitionEnds(topic: StoredTopic): PartitionEnds[] {
    return this.#sql.allEnds.all(topic.id);
  }

  /** @throws TidegateError NOT_FOUND */
  endsOf(topic: StoredTopic, partition: number): PartitionEnds {
    const row = this.#sql.ends.get(topic.id, partition);
    if (!row) throw unknownPartition(topic.name, partition);
    return row;
  }

  #create(spec: TopicSpec): void {
    this.#sql.insertTopic.run(spec.name, spec.partitions, spec.cleanup, spec.retentionMs);
    const { id } = this.#sql.topicByName.get(spec.name) as StoredTopic;
    for (let partition = 0; partition < spec.partitions; partition++) {
      this.#sql.insertPartition.run(id, partition);
    }
  }

  #update(existing: StoredTopic, spec: TopicSpec): void {
    this.#sql.updateTopic.run(spec.cleanup, spec.retentionMs, existing.id);
    if (existing.cleanup !== spec.cleanup) {
      this.#sql.markRecords.run(spec.cleanup === 'compact' ? 1 : 0, existing.id);
    }
    this.#cache.delete(spec.name);
  }
}

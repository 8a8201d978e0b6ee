const DAY_MS = 24 * 60 * 60 * 1000;

/** Resume window in milliseconds, and the minimum compaction lag of document topics. One day. */
export const RESUME_WINDOW_MS = DAY_MS;

/** A topic, its cleanup policy and its description. */
export interface TopicDefinition {
  readonly name: string;
  readonly cleanup: 'delete' | 'compact';
  /** Retention of a `delete` topic, minimum compaction lag of a `compact` one, in milliseconds. */
  readonly retentionMs: number;
  readonly description: string;
}

/**
 * Declares a topic.
 *
 * A `compact` topic keeps every record for the resume window, then the newest of each key. A `delete` topic keeps
 * records for seven days.
 */
export function defineTopic(
  name: string,
  cleanup: TopicDefinition['cleanup'],
  description: string,
): TopicDefinition {
  return { name, cleanup, retentionMs: cleanup === 'compact' ? RESUME_WINDOW_MS : 7 * DAY_MS, description };
}

/** Topic of records that a consumer could not read. Their headers name the reason. */
export const deadLetterTopic = defineTopic(
  'dead-letters',
  'delete',
  'records that a consumer could not read, with the reason in headers',
);

/** Topic of dead letters that an operator sends to their consumer group again; other groups skip them. */
export const redrivenTopic = defineTopic(
  'dead-letters.redriven',
  'delete',
  'dead letters that an operator sends to their consumer group again',
);

/** Returns the specs that `EventLog.ensureTopics` takes; every topic gets the same number of partitions. */
export function topicSpecs(
  definitions: readonly TopicDefinition[],
  partitions: number,
): { name: string; partitions: number; cleanup: 'delete' | 'compact'; retentionMs: number }[] {
  return definitions.map(({ name, cleanup, retentionMs }) => ({ name, partitions, cleanup, retentionMs }));
}

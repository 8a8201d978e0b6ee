import { TidegateError } from '@tidegate/core';
import type { TopicSpec } from './event-log.ts';

/** For topics that are missing where this process may not create any. */
export function missingTopics(specs: readonly TopicSpec[]): TidegateError {
  const wanted = specs.map(
    ({ name, partitions, cleanup, retentionMs }) =>
      `${name} (${partitions} partitions, cleanup.policy=${cleanup}, ${cleanup === 'compact' ? 'min.compaction.lag.ms' : 'retention.ms'}=${retentionMs})`,
  );
  return new TidegateError(
    'NOT_FOUND',
    `Missing topics, which are not created here: ${wanted.join('; ')}. Create them, or allow it by KAFKA_CREATE_TOPICS=1.`,
    { details: { topics: specs.map(({ name }) => name) } },
  );
}

export function unknownTopic(topic: string): TidegateError {
  return new TidegateError('NOT_FOUND', `There is no topic ${topic}.`, { details: { topic } });
}

export function unknownPartition(topic: string, partition: number): TidegateError {
  return new TidegateError('NOT_FOUND', `Topic ${topic} has no partition ${partition}.`, {
    details: { topic, partition },
  });
}

export function positionOutOfRange(
  asked: { topic: string; partition: number; offset: number },
  range: { start: number; end: number },
): TidegateError {
  return new TidegateError(
    'LOG_POSITION_OUT_OF_RANGE',
    `Offset ${asked.offset} of ${asked.topic}/${asked.partition} is not in ${range.start}..${range.end}.`,
    { details: { ...asked, start: range.start, end: range.end } },
  );
}

export function topicRecreated(topic: string): TidegateError {
  return new TidegateError(
    'LOG_POSITION_OUT_OF_RANGE',
    `Topic ${topic} was deleted and created again; its old offsets mean nothing now.`,
    { details: { topic } },
  );
}

export function logClosed(): TidegateError {
  return new TidegateError('UNAVAILABLE', 'The event log is closed.');
}

export function recordTooLarge(topic: string, bytes: number, maxBytes: number): TidegateError {
  return new TidegateError(
    'PAYLOAD_TOO_LARGE',
    `A record for ${topic} has ${bytes} bytes; at most ${maxBytes} are allowed.`,
    { details: { topic, bytes, maxBytes } },
  );
}

import { TidegateError } from '@tidegate/core';
import type { TopicSpec } from './event-log.ts';

/** @throws TidegateError BAD_REQUEST when no log could create the topic. */
export function assertTopicSpec(spec: TopicSpec): void {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(spec.name)) {
    throw badSpec(spec, 'a topic name is 1 to 249 letters, digits, dots, dashes and underscores');
  }
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1) {
    throw badSpec(spec, 'a topic has at least one partition');
  }
  if (!Number.isInteger(spec.retentionMs) || spec.retentionMs < 0) {
    throw badSpec(spec, 'retentionMs is a whole number of milliseconds');
  }
}

function badSpec(spec: TopicSpec, rule: string): TidegateError {
  return new TidegateError('BAD_REQUEST', `Topic ${JSON.stringify(spec.name)}: ${rule}.`, {
    details: { topic: spec.name },
  });
}

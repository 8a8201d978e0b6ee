import { redrivenTopic } from '@tidegate/core';
import type { LogRecord } from '@tidegate/event-log';

const PREFIX = 'dl_';

/** A record as a consumer gets it: from its topic, or a dead letter that an operator sent to its group again. */
export interface DeliveredRecord {
  /** The record as it was in its own topic. */
  readonly record: LogRecord;
  /** The record as it came: its position is the acknowledged one. */
  readonly delivered: LogRecord;
}

/**
 * Returns the records of a batch that concern the group. A redriven dead letter gets its headers, topic and position
 * back; letters of other groups are left out.
 */
export function deliveredRecords(records: readonly LogRecord[], group: string): DeliveredRecord[] {
  return records.flatMap((delivered) => {
    if (delivered.topic !== redrivenTopic.name) return [{ record: delivered, delivered }];
    return delivered.headers['dl_group'] === group ? [{ record: restoreRecord(delivered), delivered }] : [];
  });
}

/** Returns the record that a dead letter was made of. Numbers that are missing become 0. */
export function restoreRecord(letter: LogRecord): LogRecord {
  const { headers } = letter;
  return {
    ...letter,
    topic: headers['dl_topic'] ?? letter.topic,
    partition: Number(headers['dl_partition'] ?? 0),
    offset: Number(headers['dl_offset'] ?? 0),
    headers: originalHeaders(headers),
  };
}

/** Returns the headers without those that the dead letter has added. */
export function originalHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(PREFIX)));
}

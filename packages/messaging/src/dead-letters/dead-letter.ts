import { deadLetterTopic, TidegateError } from '@tidegate/core';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';

export interface DeadLetter {
  /** One sentence for the operator. */
  readonly reason: string;
  /** Consumer group, or relay, that could not use the record. */
  readonly group: string;
  readonly topic: string;
  /** Absent for a record that never got into the log. */
  readonly partition?: number;
  /** Absent for a record that never got into the log. */
  readonly offset?: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_REASON_CHARACTERS = 2_000;
const MAX_TRUNCATED_BYTES = 64 * 1024;

/**
 * Appends a record to the dead letters unchanged, with reason and origin in `dl_*` headers. A record that is too large
 * for this topic is truncated to its first 64 KiB; `dl_truncated` then holds its original size in bytes.
 */
export async function appendDeadLetter(log: EventLog, letter: DeadLetter): Promise<void> {
  const headers = { ...letter.headers, ...deadLetterHeaders(letter) };
  const record: OutgoingRecord = { key: letter.key, value: letter.value, headers };
  try {
    await log.append(deadLetterTopic.name, [record]);
  } catch (error) {
    if (!(error instanceof TidegateError && error.code === 'PAYLOAD_TOO_LARGE')) throw error;
    await log.append(deadLetterTopic.name, [truncate(letter)]);
  }
}

function deadLetterHeaders({ reason, group, topic, partition, offset }: DeadLetter): Record<string, string> {
  const headers: Record<string, string> = {
    dl_reason: reason.slice(0, MAX_REASON_CHARACTERS),
    dl_topic: topic,
    dl_group: group,
  };
  if (partition !== undefined) headers['dl_partition'] = String(partition);
  if (offset !== undefined) headers['dl_offset'] = String(offset);
  return headers;
}

/** Value, key or headers may be too large. Each is cut to a length that is sure to fit. */
function truncate(letter: DeadLetter): OutgoingRecord {
  const headers = Object.entries(letter.headers)
    .slice(0, 20)
    .map(([name, value]) => [name.slice(0, 100), value.slice(0, 500)] as const);
  return {
    key: letter.key.slice(0, 1_000),
    value: letter.value?.subarray(0, MAX_TRUNCATED_BYTES) ?? null,
    headers: {
      ...Object.fromEntries(headers),
      ...deadLetterHeaders(letter),
      dl_truncated: String(letter.value?.length ?? 0),
    },
  };
}

import { deadLetterTopic, TidegateError } from '@tidegate/core';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';

export interface DeadLetter {
  /** A sentence for whoever looks into it. */
  readonly reason: string;
  /** Who could not use it. */
  readonly group: string;
  readonly topic: string;
  /** Absent for a record that never got into the log. */
  readonly partition?: number;
  readonly offset?: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const REASON_CHARACTERS = 2_000;
const KEPT_BYTES = 64 * 1024;

/**
 * Appends to the dead letters: the record as it was, and why and where in `dl_*` headers. One that is too large
 * there as well is cut to its first 64 KiB (`dl_truncated` has its size).
 */
export async function appendDeadLetter(log: EventLog, letter: DeadLetter): Promise<void> {
  const headers = { ...letter.headers, ...deadLetterHeaders(letter) };
  const record: OutgoingRecord = { key: letter.key, value: letter.value, headers };
  try {
    await log.append(deadLetterTopic.name, [record]);
  } catch (error) {
    if (!(error instanceof TidegateError && error.code === 'PAYLOAD_TOO_LARGE')) throw error;
    await log.append(deadLetterTopic.name, [cut(letter)]);
  }
}

function deadLetterHeaders({ reason, group, topic, partition, offset }: DeadLetter): Record<string, string> {
  const headers: Record<string, string> = {
    dl_reason: reason.slice(0, REASON_CHARACTERS),
    dl_topic: topic,
    dl_group: group,
  };
  if (partition !== undefined) headers['dl_partition'] = String(partition);
  if (offset !== undefined) headers['dl_offset'] = String(offset);
  return headers;
}

/** What is too large may be the value, the key or the headers: of each only as much as is sure to fit. */
function cut(letter: DeadLetter): OutgoingRecord {
  const short = Object.entries(letter.headers)
    .slice(0, 20)
    .map(([name, value]) => [name.slice(0, 100), value.slice(0, 500)] as const);
  return {
    key: letter.key.slice(0, 1_000),
    value: letter.value?.subarray(0, KEPT_BYTES) ?? null,
    headers: {
      ...Object.fromEntries(short),
      ...deadLetterHeaders(letter),
      dl_truncated: String(letter.value?.length ?? 0),
    },
  };
}

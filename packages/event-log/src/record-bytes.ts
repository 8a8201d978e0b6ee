import type { OutgoingRecord } from './event-log.ts';
import { recordTooLarge } from './topic-errors.ts';

/** Kafka's default `message.max.bytes`, less room for the batch's own header. */
export const defaultMaxRecordBytes = 1_000_000;

/** Sizes as they weigh in the log: UTF-8 bytes of key and headers plus the value. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = Buffer.byteLength(record.key) + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** @throws TidegateError PAYLOAD_TOO_LARGE, so that both adapters refuse the same record in the same way. */
export function assertRecordSizes(
  topic: string,
  records: readonly OutgoingRecord[],
  maxRecordBytes: number,
): void {
  for (const record of records) {
    const bytes = recordBytes(record);
    if (bytes > maxRecordBytes) throw recordTooLarge(topic, bytes, maxRecordBytes);
  }
}

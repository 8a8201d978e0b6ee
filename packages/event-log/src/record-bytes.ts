import type { OutgoingRecord } from './event-log.ts';
import { recordTooLarge } from './topic-errors.ts';

/** Kafka's default `message.max.bytes` without the header of a batch. */
export const defaultMaxRecordBytes = 1_000_000;

/** Returns a record's size in the log: UTF-8 bytes of key and headers plus the value. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = Buffer.byteLength(record.key) + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** Gives both adapters the same size limit. @throws TidegateError PAYLOAD_TOO_LARGE */
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

import type { LiveStream } from '@tidegate/bff';
import type { LogRecord } from '@tidegate/event-log';
import type { Continuity } from './version-filter.ts';

/** A record of a document topic, parsed once and shared by all groups, the history and replays. */
export interface Change {
  /** Sequence number within this process and stream: the order in which the feed dispatched its changes. */
  readonly seq: number;
  readonly key: string;
  /** Version of the document; consecutive per key. */
  readonly version: number;
  readonly continuity: Continuity;
  /** CloudEvents id; identical for every subscriber and webhook. */
  readonly id: string;
  readonly data: unknown;
  readonly terms: readonly string[];
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly traceparent: string | undefined;
  /** Size of the record's value in bytes; counts towards the history's budget. */
  readonly valueBytes: number;
}

/** Message parser of one stream, as `createMessageParser` builds it. */
export type StreamParser = (record: LogRecord) =>
  | {
      readonly id: string;
      readonly subject: string;
      readonly sequence: number;
      readonly traceparent?: string | undefined;
      readonly data: unknown;
    }
  | undefined;

/**
 * Parses a record into a change. Its continuity is 'first', since a single record does not say more. Returns
 * undefined for tombstones and for messages of another type.
 *
 * @throws TidegateError RECORD_MALFORMED when the value is not a valid message of the stream.
 */
export function parseChange(
  stream: LiveStream,
  parse: StreamParser,
  record: LogRecord,
  seq: number,
): Change | undefined {
  if (record.value === null) return undefined;
  const message = parse(record);
  if (!message) return undefined;
  return {
    seq,
    key: message.subject,
    version: message.sequence,
    continuity: 'first',
    id: message.id,
    data: message.data,
    terms: stream.terms(message.data),
    partition: record.partition,
    offset: record.offset,
    timestampMs: record.timestampMs,
    traceparent: message.traceparent,
    valueBytes: record.value.length,
  };
}

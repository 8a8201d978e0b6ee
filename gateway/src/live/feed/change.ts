import type { LiveStream } from '@tidegate/bff';
import type { LogRecord } from '@tidegate/event-log';
import type { Continuity } from './version-filter.ts';

/** One live change inside this process: a record of a document topic, parsed once, shared by all who want it. */
export interface Change {
  /** Counts this process's changes of one stream: the order in which the hub saw them. */
  readonly seq: number;
  readonly key: string;
  /** The document's version: dense per key. */
  readonly version: number;
  readonly continuity: Continuity;
  /** The CloudEvents id: the same on every way out. */
  readonly id: string;
  readonly data: unknown;
  readonly terms: readonly string[];
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly traceparent: string | undefined;
  /** Size of the record's value, for the history's budget. */
  readonly valueBytes: number;
}

/** The message parser of one stream, as `createMessageParser` makes it. */
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
 * Turns a record into a change, its key's first as far as a single record says; undefined for somebody else's message and for tombstones.
 *
 * @throws TidegateError RECORD_MALFORMED; the caller counts it and goes on.
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

import type { LogRecord } from '../event-log.ts';

type Text = Buffer | string | null | undefined;

type Headers = Record<string, string>;

export interface RawRecord {
  readonly key: Buffer | null | undefined;
  readonly value: Buffer | null;
  /** Names and values in the order of the record. */
  readonly headers: Iterable<readonly [name: Text, value: Text]>;
  readonly timestampMs: number;
}

/**
 * Decodes a record as tails and groups deliver it, whichever client library has read it. A null key is an empty one. Of
 * several headers of one name the last counts, as in Kafka's own `lastHeader`.
 */
export function recordContent({
  key,
  value,
  headers,
  timestampMs,
}: RawRecord): Pick<LogRecord, 'key' | 'value' | 'headers' | 'timestampMs'> {
  const texts = Array.from(headers, ([name, text]) => [name?.toString() ?? '', text?.toString() ?? '']);
  return { key: key?.toString() ?? '', value, headers: Object.fromEntries(texts) as Headers, timestampMs };
}

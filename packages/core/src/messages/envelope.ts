import { TidegateError } from '../errors/tidegate-error.ts';
import { z } from 'zod';

/**
 * A CloudEvents 1.0 event (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md). `id`, `source` and
 * `type` are its required attributes, `time` and `subject` optional attributes that Tidegate requires; `dataversion`,
 * `sequence`, `causationid` and `traceparent` are extension attributes.
 */
export interface Envelope<Data = unknown> {
  /** Section "id": unique per `source`, so consumers deduplicate by both. Usually `<stream>/<key>@<version>`. */
  readonly id: string;
  /** Section "source": the producer as a URI reference, e.g. `/tidegate/counters`. */
  readonly source: string;
  /** Section "type": name of the message type with a prefix, e.g. `tidegate.counters.CounterRaised`. */
  readonly type: string;
  /** Section "time": time of the occurrence in RFC 3339 format. */
  readonly time: string;
  /** Section "subject": id of the aggregate. It is also the record's key, so one aggregate's events stay in order. */
  readonly subject: string;
  /** Version of the schema of `data`, from 1. */
  readonly dataversion: number;
  /** Version of the aggregate or document after this event, from 1, without gaps per key. */
  readonly sequence: number;
  /** W3C trace context of the cause (Distributed Tracing extension). */
  readonly traceparent?: string | undefined;
  /** Id of the command or event that caused this event. */
  readonly causationid?: string | undefined;
  readonly data: Data;
}

/** An envelope as the key, value and headers of a log record. */
export interface EncodedEnvelope {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Encodes an envelope in binary content mode (CloudEvents Kafka protocol binding 1.0, section 3.2): attributes become
 * `ce_*` headers (3.2.3), `data` becomes the JSON value, and the subject becomes the key (3.1). `traceparent` keeps its
 * W3C name, without the prefix. `decodeEnvelope` is the inverse.
 */
export function encodeEnvelope(envelope: Envelope): EncodedEnvelope {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_source: envelope.source,
    ce_type: envelope.type,
    ce_time: envelope.time,
    ce_subject: envelope.subject,
    ce_dataversion: String(envelope.dataversion),
    ce_sequence: String(envelope.sequence),
  };
  if (envelope.causationid !== undefined) headers['ce_causationid'] = envelope.causationid;
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent;
  return { key: envelope.subject, value: Buffer.from(JSON.stringify(envelope.data)), headers };
}

const headersSchema = z.object({
  ce_specversion: z.literal('1.0'),
  ce_id: z.string().min(1),
  ce_source: z.string().min(1),
  ce_type: z.string().min(1),
  ce_time: z.iso.datetime({ offset: true }),
  ce_subject: z.string().min(1),
  ce_dataversion: z.coerce.number().int().min(1),
  ce_sequence: z.coerce.number().int().min(1),
  ce_causationid: z.string().optional(),
  traceparent: z.string().optional(),
});

/**
 * Decodes a record in binary content mode, the inverse of `encodeEnvelope`. `data` is parsed JSON that no schema has
 * checked yet.
 *
 * @throws TidegateError RECORD_MALFORMED when an attribute is missing or malformed, the key differs from the subject, or
 *   the value is not JSON. Its message is the reason in the dead letter.
 */
export function decodeEnvelope(record: {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}): Envelope {
  const parsed = headersSchema.safeParse(record.headers);
  if (!parsed.success) {
    throw new TidegateError(
      'RECORD_MALFORMED',
      `not a CloudEvents 1.0 record: ${z.prettifyError(parsed.error)}`,
    );
  }
  const headers = parsed.data;
  if (record.key !== headers.ce_subject) {
    throw new TidegateError(
      'RECORD_MALFORMED',
      `the record's key "${record.key}" is not its subject "${headers.ce_subject}"`,
    );
  }
  return {
    id: headers.ce_id,
    source: headers.ce_source,
    type: headers.ce_type,
    time: headers.ce_time,
    subject: headers.ce_subject,
    dataversion: headers.ce_dataversion,
    sequence: headers.ce_sequence,
    causationid: headers.ce_causationid,
    traceparent: headers.traceparent,
    data: parseJson(record.value),
  };
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new TidegateError('RECORD_MALFORMED', 'the record has no value');
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    throw new TidegateError('RECORD_MALFORMED', `the value is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Encodes an envelope in structured content mode: one JSON object with attributes and `data` (CloudEvents JSON event
 * format 1.0, section 3), sent over HTTP as `application/cloudevents+json`.
 */
export function encodeStructured(envelope: Envelope): Record<string, unknown> {
  const { data, ...attributes } = envelope;
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return { specversion: '1.0', datacontenttype: 'application/json', ...Object.fromEntries(known), data };
}

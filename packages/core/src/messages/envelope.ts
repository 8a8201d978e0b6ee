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

/** Bounds of a record's attributes. An index of Postgres takes 2,700 bytes, and the inbox's has source and id. */
export const envelopeLimits = {
  idBytes: 1_024,
  sourceBytes: 512,
  typeBytes: 256,
  /** Of the key as well, which is the subject. */
  subjectBytes: 1_024,
  headers: 256,
} as const;

/** CloudEvents 1.0 has none in its strings, and Postgres stores no NUL. */
const CONTROL_CHARACTER = /\p{Cc}/u;

/** A text that every store can hold as a key. */
function attribute(maxBytes: number): z.ZodString {
  return z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= maxBytes, `longer than ${maxBytes} bytes`)
    .refine((text) => !CONTROL_CHARACTER.test(text), 'has a control character');
}

const attributesSchema = z.object({
  specversion: z.literal('1.0'),
  id: attribute(envelopeLimits.idBytes),
  source: attribute(envelopeLimits.sourceBytes),
  type: attribute(envelopeLimits.typeBytes),
  time: z.iso.datetime({ offset: true }),
  subject: attribute(envelopeLimits.subjectBytes),
  dataversion: z.coerce.number().int().min(1),
  sequence: z.coerce.number().int().min(1),
  causationid: z.string().optional(),
  traceparent: z.string().optional(),
});
const attributeNames = Object.keys(attributesSchema.shape) as (keyof typeof attributesSchema.shape)[];

/** Media type of a record in structured content mode, with or without parameters. */
const STRUCTURED = /^application\/cloudevents\+json\s*(;|$)/i;

/**
 * Decodes a record in binary or structured content mode (CloudEvents Kafka protocol binding 1.0, 3.2 and 3.3): the inverse
 * of `encodeEnvelope`, also for the records of other producers. A record without a key has its subject as its key. `data`
 * is parsed JSON that no schema has checked yet.
 *
 * @throws TidegateError RECORD_MALFORMED when an attribute is missing or malformed, the key differs from the subject, or
 *   the value is not JSON. Its message is the reason in the dead letter.
 */
export function decodeEnvelope(record: {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}): Envelope {
  if (Object.keys(record.headers).length > envelopeLimits.headers)
    throw malformed(`the record has more than ${envelopeLimits.headers} headers`);
  const { attributes, data } = STRUCTURED.test(record.headers['content-type'] ?? '')
    ? readStructured(record.value)
    : { attributes: attributesOf(record.headers), data: undefined };
  const parsed = attributesSchema.safeParse(attributes);
  if (!parsed.success) throw malformed(`not a CloudEvents 1.0 record: ${z.prettifyError(parsed.error)}`);
  const { specversion: _, ...envelope } = parsed.data;
  if (record.key !== '' && record.key !== envelope.subject)
    throw malformed(`the record's key "${record.key}" is not its subject "${envelope.subject}"`);
  return {
    id: envelope.id,
    source: envelope.source,
    type: envelope.type,
    time: envelope.time,
    subject: envelope.subject,
    dataversion: envelope.dataversion,
    sequence: envelope.sequence,
    causationid: envelope.causationid,
    traceparent: envelope.traceparent,
    data: data === undefined ? parseJson(record.value) : data,
  };
}

/** Attributes of binary mode are in headers with a prefix; `traceparent` keeps its W3C name. */
function attributesOf(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const name of attributeNames)
    attributes[name] = name === 'traceparent' ? headers['traceparent'] : headers[`ce_${name}`];
  return attributes;
}

/** In structured mode the value is one JSON object with attributes and `data`. */
function readStructured(value: Buffer | null): { attributes: unknown; data: unknown } {
  const event = parseJson(value);
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw malformed('the value is not a CloudEvent in JSON');
  const { data = null, ...attributes } = event as Record<string, unknown>;
  return { attributes, data };
}

function malformed(reason: string): TidegateError {
  return new TidegateError('RECORD_MALFORMED', reason);
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw malformed('the record has no value');
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    throw malformed(`the value is not JSON: ${(error as Error).message}`);
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
